using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class LastSecondsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 7, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_lies_less_than_a_minute_back_is_known_less_than_a_second_too_late() =>
        Gen.Select(Gen.OneOf(Gen.Int[0, 3_000], Gen.Int[0, 90_000]), Gen.Int[1, 9]).Array[1, 40].Sample(steps =>
        {
            var (log, now, starts) = (new LastSeconds(), Noon, new List<DateTimeOffset>());
            foreach (var (ms, n) in steps)
            {
                now = now.AddMilliseconds(ms);
                log.Count(now, n);
                starts.AddRange(Enumerable.Repeat(now, n));
                log = LastSeconds.From(log.ToSnapshot());

                var known = log.Until(now).SelectMany(second => Enumerable.Repeat(second.At, second.Count)).ToArray();
                var recent = starts.Where(at => now - at < TimeSpan.FromMinutes(1)).ToArray();
                Assert.True(known.Length >= recent.Length);
                Assert.All(known[^recent.Length..].Zip(recent), pair => Assert.InRange(pair.Item1 - pair.Item2, TimeSpan.Zero, TimeSpan.FromSeconds(1)));
                Assert.All(known, at => Assert.InRange(at, now.AddSeconds(-61), now));
            }
        });

    [Fact]
    public void A_clock_that_was_set_back_grants_nothing_twice()
    {
        var log = new LastSeconds();
        log.Count(Noon, 3);

        log.Count(Noon.AddHours(-1), 2);

        Assert.Equal([(Noon, 5)], log.Until(Noon));
    }
}
