using CsCheck;
using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class RetryDelayTests
{
    private static readonly Gen<RetryRules> Rules =
        Gen.Select(Gen.Int[1, 1000], Gen.Int[0, 3600], Gen.Int[0, 86_400]).Select((attempts, first, max) => new RetryRules(attempts, first, max, 3 * 86_400));

    [Fact]
    public void It_doubles_up_to_the_longest_and_strays_a_fifth_at_most() =>
        Gen.Select(Rules, Gen.Long[1, 1L << 40], Gen.Int[1, 1_000_000], Gen.Int[1, 1000]).Sample((rules, task, seq, attempt) =>
        {
            var wanted = Math.Min(rules.FirstDelaySeconds * Math.Pow(2, attempt - 1), rules.MaxDelaySeconds);

            var delay = RetryDelay.After(rules, new TaskId(task), seq, attempt);

            Assert.InRange(delay.TotalSeconds, (wanted * 0.8) - 0.001, (wanted * 1.2) + 0.001);
            Assert.Equal(delay, RetryDelay.After(rules, new TaskId(task), seq, attempt));
        });

    [Fact]
    public void Recipients_deferred_at_one_moment_spread_over_the_whole_two_fifths()
    {
        var delays = Enumerable.Range(1, 10_000).Select(seq => RetryDelay.After(RetryRules.Default, new TaskId(7), seq, 1).TotalSeconds).ToArray();

        // Ten equal parts of 48 to 72 s; 1,000 are expected in each, and a fair spread strays less than 150 from that (five standard deviations).
        var parts = delays.GroupBy(d => (int)((d - 48) / 2.4)).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(Enumerable.Range(0, 10), parts.Keys.Order());
        Assert.All(parts.Values, n => Assert.InRange(n, 850, 1150));
    }

    [Fact]
    public void Tasks_and_tries_stray_each_in_their_own_way()
    {
        var rules = new RetryRules(100, 60, 60, 86_400);

        Assert.Equal(100, Enumerable.Range(1, 100).Select(task => RetryDelay.After(rules, new TaskId(task), 1, 1)).Distinct().Count());
        Assert.Equal(100, Enumerable.Range(1, 100).Select(attempt => RetryDelay.After(rules, new TaskId(1), 1, attempt)).Distinct().Count());
    }

    [Theory]
    [InlineData(null, 60)]
    [InlineData(ReplyClass.ServiceFault, 60)]
    [InlineData(ReplyClass.Greylisted, 300)]
    [InlineData(ReplyClass.Throttled, 300)]
    [InlineData(ReplyClass.RelayDenied, 600)]
    [InlineData(ReplyClass.NoSuchDomain, 900)]
    [InlineData(ReplyClass.PolicyOrReputationBlock, 1800)]
    [InlineData(ReplyClass.MailboxFull, 3600)]
    public void Some_replies_want_more_patience_than_others(ReplyClass? reply, int seconds)
    {
        Assert.Equal(seconds, RetryDelay.First(RetryRules.Default, reply).TotalSeconds);
        Assert.InRange(RetryDelay.After(RetryRules.Default, new TaskId(1), 1, 2, reply).TotalSeconds, seconds * 2 * 0.8, seconds * 2 * 1.2);
        Assert.InRange(RetryDelay.After(new RetryRules(9, 60, 90, 1000), new TaskId(1), 1, 9, reply).TotalSeconds, 90 * 0.8, 90 * 1.2);
    }

    [Fact]
    public void What_the_server_asks_for_is_waited_and_never_less() =>
        Gen.Select(Rules, Gen.Int[1, 1_000_000], Gen.Int[1, 100], Gen.Int[1, 86_400]).Sample((rules, seq, attempt, asked) =>
        {
            var wait = RetryDelay.After(rules, new TaskId(1), seq, attempt, ReplyClass.Greylisted, TimeSpan.FromSeconds(asked)).TotalSeconds;

            Assert.InRange(wait, asked, Math.Max(asked, attempt == 1 ? 0 : rules.MaxDelaySeconds) * 1.2 + 0.001);
        });
}
