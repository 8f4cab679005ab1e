using CsCheck;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class RateMeterTests
{
    private const long Start = 1_767_323_045_000;

    [Fact]
    public void It_is_the_mean_of_the_last_minute_or_of_the_time_since_the_first() =>
        Gen.Select(Gen.OneOf(Gen.Long[0, 3], Gen.Long[0, 1500], Gen.Long[0, 200_000]), Gen.Int[1, 100]).Array[1, 100].Sample(steps =>
        {
            var meter = new RateMeter();
            var added = new List<(long Second, int Count)>();
            var now = Start;
            foreach (var (wait, count) in steps)
            {
                now += wait;
                meter.Add(now, count);
                added.Add((now / 1000, count));
                var seconds = Math.Min(60, (now / 1000) - added[0].Second + 1);

                Assert.Equal(added.Where(a => a.Second > (now / 1000) - 60).Sum(a => a.Count) / (double)seconds, meter.PerSecond(now), 6);
            }
        });

    [Fact]
    public void Nothing_yet_is_nothing() => Assert.Equal(0, new RateMeter().PerSecond(Start));

    [Fact]
    public void A_minute_of_silence_is_forgotten()
    {
        var meter = new RateMeter();
        meter.Add(Start, 600);

        Assert.True(meter.PerSecond(Start + 59_000) > 0);
        Assert.Equal(0, meter.PerSecond(Start + 60_000));
        Assert.Equal(0, meter.PerSecond(Start + 100_000_000));
    }

    [Fact]
    public void A_clock_that_is_set_back_breaks_nothing()
    {
        var meter = new RateMeter();
        meter.Add(Start, 60);
        meter.Add(Start - 5_000, 60);

        Assert.Equal(120, meter.PerSecond(Start));
        Assert.Equal(0, meter.PerSecond(Start + 120_000));
    }
}
