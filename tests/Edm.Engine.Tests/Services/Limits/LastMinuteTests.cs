using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class LastMinuteTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_is_left_is_the_limit_less_the_starts_of_sixty_seconds_and_the_next_goes_when_it_is_foretold() =>
        Gen.Select(Gen.Int[1, 20], Gen.Long[0, 20 * TimeSpan.TicksPerSecond].Array[1, 80]).Sample((limit, waits) =>
        {
            var (minute, now, starts) = (new LastMinute(), Noon, new List<DateTimeOffset>());
            foreach (var wait in waits)
            {
                now = now.AddTicks(wait);
                var inMinute = starts.Count(start => now - start < TimeSpan.FromMinutes(1));
                Assert.Equal(Math.Max(0, limit - inMinute), minute.Left(limit, now));
                var next = minute.NextAt(limit, now);
                Assert.Equal(inMinute < limit, next == now);
                Assert.True(minute.Left(limit, now) > 0 || starts.Count(start => next - start < TimeSpan.FromMinutes(1)) < limit);
                if (inMinute < limit)
                {
                    minute.Count(now);
                    starts.Add(now);
                }
            }
        });

    [Fact]
    public void Without_a_limit_nothing_is_asked() => Assert.Equal((int.MaxValue, Noon), (new LastMinute().Left(null, Noon), new LastMinute().NextAt(null, Noon)));

    [Fact]
    public void A_clock_that_was_set_back_blocks_for_a_minute_and_no_longer()
    {
        var minute = new LastMinute();
        minute.Count(Noon.AddDays(1));

        Assert.Equal(0, minute.Left(1, Noon));
        Assert.Equal(Noon.AddMinutes(1), minute.NextAt(1, Noon));
        Assert.Equal(1, minute.Left(1, Noon.AddMinutes(1)));
    }
}
