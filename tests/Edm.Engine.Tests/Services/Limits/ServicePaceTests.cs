using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServicePaceTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_complaint_halves_what_the_owner_allows_and_quiet_gives_it_back()
    {
        var pace = new ServicePace(600, Start);

        pace.Throttled(Start, null);

        Assert.Equal(300, pace.PerMinute(Start));
        Assert.Equal(450, pace.PerMinute(Start.AddMinutes(5)));
        Assert.Equal(600, pace.PerMinute(Start.AddMinutes(10)));
    }

    [Fact]
    public void Without_a_limit_it_is_half_of_what_went_out_in_the_last_minute_until_it_is_whole_again()
    {
        var pace = new ServicePace(null, Start);
        for (var i = 0; i < 200; i++)
        {
            Assert.True(pace.TryTake(Start.AddMilliseconds(i)));
        }

        pace.Throttled(Start.AddSeconds(1), null);

        Assert.Equal(100, pace.PerMinute(Start.AddSeconds(1)));
        Assert.Null(pace.PerMinute(Start.AddMinutes(11)));
        Assert.True(pace.TryTake(Start.AddMinutes(11)));
    }

    [Fact]
    public void What_the_provider_asks_to_wait_is_waited_but_no_longer_than_an_hour_at_a_time()
    {
        var pace = new ServicePace(600, Start);
        pace.Throttled(Start, TimeSpan.FromMinutes(10));

        Assert.True(pace.IsPaused(Start.AddMinutes(9)));
        Assert.False(pace.TryTake(Start.AddMinutes(9)));
        Assert.Equal(Start.AddMinutes(10), pace.NextAt(Start.AddMinutes(9)));
        Assert.True(pace.TryTake(Start.AddMinutes(11)));

        pace.Throttled(Start.AddMinutes(12), TimeSpan.FromDays(1));
        Assert.Equal(Start.AddMinutes(72), pace.NextAt(Start.AddMinutes(13)));
    }

    [Fact]
    public void No_minute_sees_more_than_the_owner_allows_whatever_the_provider_says() =>
        Gen.Select(Gen.Int[1, 400], Gen.Select(Gen.Int[0, 3000], Gen.Int[0, 20]).Array[1, 200]).Sample((own, steps) =>
        {
            var (pace, now) = (new ServicePace(own, Start), Start);
            var taken = new List<DateTimeOffset>();
            foreach (var (milliseconds, what) in steps)
            {
                now = now.AddMilliseconds(milliseconds);
                if (what == 0)
                {
                    pace.Throttled(now, milliseconds % 2 == 0 ? TimeSpan.FromMilliseconds(milliseconds) : null);
                }

                while (pace.TryTake(now))
                {
                    taken.Add(now);
                }

                Assert.True(pace.NextAt(now) >= now);
                Assert.InRange(pace.PerMinute(now)!.Value, 1, own);
            }

            for (var i = own; i < taken.Count; i++)
            {
                Assert.True(taken[i] - taken[i - own] >= TimeSpan.FromMinutes(1), $"{own + 1} mails within a minute");
            }
        });

    [Fact]
    public void A_mail_goes_at_the_moment_that_was_foretold() =>
        Gen.Select(Gen.Int[1, 400], Gen.Int[0, 100_000], Gen.Bool).Sample((own, milliseconds, throttled) =>
        {
            var (pace, now) = (new ServicePace(own, Start), Start.AddMilliseconds(milliseconds));
            if (throttled)
            {
                pace.Throttled(now, TimeSpan.FromMilliseconds(milliseconds % 5000));
            }

            while (pace.TryTake(now))
            {
                // Until it is empty.
            }

            Assert.True(pace.TryTake(pace.NextAt(now)));
        });
}
