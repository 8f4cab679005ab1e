using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class CircuitBreakerTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Three_faults_in_a_row_open_it_and_two_do_not()
    {
        var breaker = new CircuitBreaker();
        breaker.Faulted(Start);
        breaker.Faulted(Start);
        breaker.Succeeded();
        breaker.Faulted(Start);
        breaker.Faulted(Start);
        Assert.True(breaker.TryPass(Start));

        breaker.Faulted(Start);

        Assert.Equal((BreakerState.Open, Start.AddSeconds(5)), (breaker.State, breaker.OpenUntil));
        Assert.False(breaker.TryPass(Start.AddSeconds(5).AddTicks(-1)));
    }

    [Fact]
    public void After_the_pause_exactly_one_probe_passes()
    {
        var breaker = Opened();
        var due = Start.AddSeconds(5);

        Assert.True(breaker.TryPass(due));
        Assert.False(breaker.TryPass(due));
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.Null(breaker.NextAt(due));
    }

    [Fact]
    public void A_probe_that_fails_doubles_the_pause_up_to_five_minutes()
    {
        var breaker = Opened();
        var now = Start;
        var pauses = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            pauses.Add((breaker.OpenUntil!.Value - now).TotalSeconds);
            now = breaker.OpenUntil.Value;
            Assert.True(breaker.TryPass(now));
            breaker.Faulted(now);
        }

        Assert.Equal([5, 10, 20, 40, 80, 160, 300, 300, 300], pauses);
    }

    [Fact]
    public void A_success_closes_it_and_the_next_pause_is_short_again()
    {
        var breaker = Opened();
        breaker.TryPass(Start.AddSeconds(5));
        breaker.Faulted(Start.AddSeconds(5));

        breaker.Succeeded();

        Assert.True(breaker.TryPass(Start.AddSeconds(5)));
        for (var i = 0; i < 3; i++)
        {
            breaker.Faulted(Start.AddMinutes(1));
        }

        Assert.Equal(Start.AddMinutes(1).AddSeconds(5), breaker.OpenUntil);
    }

    [Fact]
    public void A_probe_that_was_given_up_leaves_its_place_to_the_next()
    {
        var breaker = Opened();
        breaker.TryPass(Start.AddSeconds(5));

        breaker.GaveUp();

        Assert.True(breaker.TryPass(Start.AddSeconds(5)));
    }

    [Fact]
    public void Whatever_happens_it_never_pauses_longer_than_five_minutes_and_always_lets_somebody_try_again()
    {
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 400]).Array[0, 200].Sample(steps =>
        {
            var breaker = new CircuitBreaker();
            var now = Start;
            foreach (var (what, seconds) in steps)
            {
                now = now.AddSeconds(seconds);
                switch (what)
                {
                    case 0: breaker.TryPass(now); break;
                    case 1: breaker.Faulted(now); break;
                    case 2: breaker.GaveUp(); break;
                    default:
                        if (seconds % 4 == 0)
                        {
                            breaker.Succeeded();
                        }

                        break;
                }

                if (breaker.OpenUntil > now + CircuitBreaker.LongestPause)
                {
                    return false;
                }
            }

            breaker.GaveUp();
            return breaker.TryPass(now + CircuitBreaker.LongestPause);
        });
    }

    private static CircuitBreaker Opened()
    {
        var breaker = new CircuitBreaker();
        for (var i = 0; i < CircuitBreaker.Threshold; i++)
        {
            breaker.Faulted(Start);
        }

        return breaker;
    }
}
