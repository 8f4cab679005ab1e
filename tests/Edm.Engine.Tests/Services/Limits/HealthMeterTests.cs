using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class HealthMeterTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_falls_with_every_fault_and_the_faults_fade_by_half_in_half_an_hour()
    {
        var meter = new HealthMeter();
        for (var i = 0; i < SuccessRate.Floor; i++)
        {
            meter.Count(false, Noon);
        }

        Assert.Equal(0, meter.Rate(Noon), 6);
        Assert.Equal(0.5, meter.Rate(Noon.AddMinutes(30)), 6);
        Assert.Equal(0.75, meter.Rate(Noon.AddMinutes(60)), 6);
    }

    [Fact]
    public void It_takes_its_next_step_up_when_it_is_foretold_and_not_a_second_before() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 600]).Array[1, 60].Sample(life =>
        {
            var (meter, now) = (new HealthMeter(), Noon);
            foreach (var (well, seconds) in life)
            {
                meter.Count(well, now = now.AddSeconds(seconds));
            }

            var next = meter.RisesAt(now);
            var step = Step(now);
            if (step >= 1)
            {
                Assert.Equal(DateTimeOffset.MaxValue, next);
                return;
            }

            Assert.True(Step(next) > step);
            Assert.True(next <= now.AddSeconds(1) || Step(next.AddSeconds(-1)) == step);

            double Step(DateTimeOffset at) => ServiceHealth.Of(meter.Rate(at), BreakerState.Closed);
        });
}
