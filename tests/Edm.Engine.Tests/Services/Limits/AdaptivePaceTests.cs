using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class AdaptivePaceTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_complaint_halves_the_pace_at_once_and_it_comes_back_by_a_twentieth_a_minute()
    {
        var pace = new AdaptivePace();
        Assert.Equal(600, pace.PerMinute(600, Start));

        pace.Throttled(Start);

        Assert.Equal(0.5, pace.Share(Start));
        Assert.Equal(300, pace.PerMinute(600, Start));
        Assert.Equal(0.75, pace.Share(Start.AddMinutes(5)), 9);
        Assert.Equal(1, pace.Share(Start.AddMinutes(10)), 9);
        Assert.Equal(1, pace.Share(Start.AddDays(9)));
    }

    [Fact]
    public void Complaints_of_one_moment_count_once_and_later_ones_again()
    {
        var pace = new AdaptivePace();
        for (var i = 0; i < 8; i++)
        {
            pace.Throttled(Start.AddMilliseconds(i * 100));
        }

        Assert.InRange(pace.Share(Start.AddSeconds(1)), 0.5, 0.501);
        pace.Throttled(Start.Add(AdaptivePace.Reaction));
        Assert.InRange(pace.Share(Start.Add(AdaptivePace.Reaction)), 0.25, 0.26);
    }

    [Fact]
    public void What_the_provider_asks_to_wait_is_waited_and_wins_nothing_back()
    {
        var pace = new AdaptivePace();
        pace.Throttled(Start, TimeSpan.FromMinutes(15));
        pace.Throttled(Start.AddSeconds(1), TimeSpan.FromMinutes(1));

        Assert.Equal(0, pace.PerMinute(600, Start.AddMinutes(15).AddTicks(-1)));
        Assert.Equal(0.5, pace.Share(Start.AddMinutes(15)), 3);
        Assert.Equal(0.55, pace.Share(Start.AddMinutes(16)), 3);
    }

    [Fact]
    public void Whatever_happens_the_share_stays_in_its_bounds_never_falls_by_time_and_is_whole_again_after_20_quiet_minutes() =>
        Gen.Select(Gen.Int[0, 120], Gen.Int[0, 3]).Array[0, 60].Sample(steps =>
        {
            var (pace, now, quiet) = (new AdaptivePace(), Start, Start);
            foreach (var (seconds, what) in steps)
            {
                var before = pace.Share(now);
                now = now.AddSeconds(seconds);
                Assert.True(pace.Share(now) >= before);
                if (what > 0)
                {
                    var full = pace.Share(now);
                    TimeSpan? asked = what == 3 ? TimeSpan.FromSeconds(seconds) : null;
                    pace.Throttled(now, asked);
                    quiet = now + (asked ?? TimeSpan.Zero) > quiet ? now + (asked ?? TimeSpan.Zero) : quiet;
                    Assert.True(pace.Share(now) <= full);
                }

                Assert.True(now < pace.PausedUntil ? pace.Share(now) == 0 : pace.Share(now) is >= AdaptivePace.Lowest and <= 1);
                Assert.True(now < pace.PausedUntil || pace.PerMinute(1, now) == 1);
            }

            Assert.Equal(1, pace.Share(quiet.AddMinutes(20)), 9);
        });

    /// <summary>A provider that takes so many mails in any minute and complains about the rest: what is sent settles near that, and complaints are few.</summary>
    [Theory]
    [InlineData(600, 100)]
    [InlineData(600, 400)]
    [InlineData(60, 20)]
    public void It_settles_near_what_a_provider_takes(int own, int takes)
    {
        var pace = new AdaptivePace();
        var accepted = new Queue<DateTimeOffset>();
        var (now, sent, complaints, budget) = (Start, 0, 0, 0.0);
        for (var second = 0; second < 6 * 3600; second++, now = now.AddSeconds(1))
        {
            budget = Math.Min(budget + (pace.PerMinute(own, now) / 60.0), own);
            for (; budget >= 1; budget--)
            {
                while (accepted.TryPeek(out var oldest) && now - oldest >= TimeSpan.FromMinutes(1))
                {
                    accepted.Dequeue();
                }

                if (accepted.Count < takes)
                {
                    accepted.Enqueue(now);
                    sent++;
                }
                else
                {
                    complaints++;
                    pace.Throttled(now);
                }
            }
        }

        // Six hours. A saw-tooth between half and the whole has three quarters of it.
        Assert.InRange(sent, 0.6 * takes * 360, takes * 360);
        Assert.True(complaints < 0.1 * sent, $"{complaints} complaints, {sent} sent");
    }
}
