using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServiceHealthTests
{
    [Theory]
    [InlineData(1, BreakerState.Closed, 1)]
    [InlineData(0.9, BreakerState.Closed, 1)]
    [InlineData(0.89, BreakerState.Closed, 0.7)]
    [InlineData(0.75, BreakerState.HalfOpen, 0.7)]
    [InlineData(0.74, BreakerState.Closed, 0.5)]
    [InlineData(0, BreakerState.HalfOpen, 0.5)]
    [InlineData(1, BreakerState.Open, 0)]
    public void It_has_four_steps(double rate, BreakerState breaker, double health) => Assert.Equal(health, ServiceHealth.Of(rate, breaker));

    [Fact]
    public void A_part_of_a_limit_is_never_more_and_never_nothing_while_it_is_tried() =>
        Gen.Select(Gen.Int[1, 1_000_000], Gen.Double[0, 1]).Sample((limit, rate) =>
        {
            var part = ServiceHealth.Part(limit, ServiceHealth.Of(rate, BreakerState.Closed));
            Assert.InRange(part!.Value, 1, limit);
            Assert.Equal(0, ServiceHealth.Part(limit, ServiceHealth.Of(rate, BreakerState.Open)));
            Assert.Null(ServiceHealth.Part(null, rate));
        });
}
