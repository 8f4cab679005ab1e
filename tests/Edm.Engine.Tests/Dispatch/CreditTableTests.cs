using CsCheck;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class CreditTableTests
{
    private const long Now = 1_000_000;

    private static readonly ServiceId A = new(1);
    private static readonly ServiceId B = new(2);

    private readonly CreditTable table = new() { Weights = new SelectionWeights(0, 0, 1, 0) };

    [Fact]
    public void The_best_score_is_taken_while_it_lasts()
    {
        table.Grant(A, Of(0.5), 2);
        table.Grant(B, Of(0.9), 1);

        Assert.Equal([B, A, A, null], Enumerable.Range(0, 4).Select(_ => Take()));
    }

    [Fact]
    public void The_choice_says_its_score_and_who_came_next()
    {
        table.Grant(A, Of(0.5), 1);
        table.Grant(B, Of(0.9), 1);

        Assert.Equal(new Choice(900, A, 500), table.Take(MailboxProvider.Other, Now)?.Why);
        Assert.Equal(new Choice(500), table.Take(MailboxProvider.Other, Now)?.Why);
    }

    [Fact]
    public void Equal_scores_take_turns()
    {
        table.Grant(A, Of(0.5), 3);
        table.Grant(B, Of(0.5), 3);

        var taken = Enumerable.Range(0, 6).Select(_ => Take()).ToArray();

        Assert.All(taken.Chunk(2), pair => Assert.Equal(2, pair.Distinct().Count()));
    }

    [Fact]
    public void The_newest_standing_counts_for_all_credits()
    {
        table.Grant(A, Of(0.9), 1);
        table.Grant(B, Of(0.5), 1);
        table.Grant(A, Of(0.1), 1);

        Assert.Equal([B, A, A], Enumerable.Range(0, 3).Select(_ => Take()));
    }

    [Fact]
    public void Whoever_rested_longest_for_its_pace_comes_first()
    {
        table.Weights = new SelectionWeights(1, 0, 0, 0);
        table.Grant(A, Of(1), 9);
        table.Grant(B, Of(1, paceMs: 9_000), 9);

        Assert.Equal([A, B, A, A, A, A], new[] { 0, 1, 3, 5, 7, 8 }.Select(second => table.Take(MailboxProvider.Other, Now + (second * 1000))?.Service));
    }

    [Fact]
    public void A_service_without_room_for_the_provider_is_passed_over_and_takes_others()
    {
        table.Grant(A, Of(0.9, gmail: 1), 3);
        table.Grant(B, Of(0.5, gmail: 0, nextMs: 77), 1);

        Assert.Equal(A, Take(MailboxProvider.Gmail));
        Assert.Null(Take(MailboxProvider.Gmail));
        Assert.False(table.CanTake(MailboxProvider.Gmail));
        Assert.Equal(77, table.NextMs(MailboxProvider.Gmail));
        Assert.Equal(A, Take());

        table.Grant(B, Of(0.5, gmail: 1), 0);
        Assert.Equal(B, Take(MailboxProvider.Gmail));
    }

    [Fact]
    public void A_service_that_was_refused_is_spared_only_while_another_may_take_the_mail()
    {
        table.Grant(A, Of(0.9, gmail: 9), 9);
        table.Grant(B, Of(0.5, gmail: 1), 1);

        Assert.Equal(B, table.Take(MailboxProvider.Gmail, Now, A)?.Service);
        Assert.False(table.CanTake(MailboxProvider.Other, Now, [A]));
        Assert.Null(table.Take(MailboxProvider.Other, Now, A));
        Assert.Equal(A, table.Take(MailboxProvider.Other, Now)?.Service);
        Assert.Equal(A, table.Take(MailboxProvider.Gmail, Now, A)?.Service);
        Assert.Equal(A, table.Take(MailboxProvider.Other, Now, A, B)?.Service);
    }

    [Fact]
    public void Among_however_many_the_two_are_chosen_that_the_formula_says() =>
        Gen.Select(Gen.Select(Gen.Double[0, 1], Gen.Int[0, 3], Gen.Int[1, 60_000], Gen.Int[-500, 90_000]).Array[1, 70], Gen.Double[0, 1], Gen.Double[0, 1]).Sample((services, time, success) =>
        {
            var weights = new SelectionWeights(time, 0, success, 0);
            var holders = new CreditHolders { Weights = weights };
            var scores = new List<double>();
            foreach (var ((rate, gmail, pace, since), nr) in services.Select((service, nr) => (service, nr)))
            {
                var holder = new CreditHolder(new ServiceId(nr), Of(rate, pace, gmail)) { LastMs = Now - since, Credits = 1 };
                holder.Learn(holder.Standing);
                holders.Add(holder);
                holders.Update(holder);
                scores.Add(gmail == 0 ? -1 : ServiceScore.Of(weights, ServiceScore.Idle(since, pace), 1, rate, 1));
            }

            var best = holders.Best(MailboxProvider.Gmail, Now, []);

            var expected = scores.Where(score => score >= 0).OrderDescending().Take(2).ToArray();
            Assert.Equal(expected.Length > 0, best is not null);
            Assert.Equal(expected.Length > 1, best?.Second is not null);
            if (best is { } found)
            {
                Assert.Equal(expected[0], scores[(int)found.Best.Id.Value]);
                Assert.Equal(expected[0], found.BestScore);
                Assert.Equal(expected.Length > 1 ? expected[1] : double.NegativeInfinity, found.SecondScore);
            }
        });

    [Fact]
    public void No_credit_is_spent_twice_or_after_it_was_revoked() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[1, 4], Gen.Double[0, 1], Gen.Int[0, 5], Gen.Int[0, 2]).Array[1, 60].Sample(steps =>
        {
            var credits = new CreditTable();
            var model = new Dictionary<ServiceId, (int Credits, int Gmail)>();
            foreach (var (kind, service, score, n, gmail) in steps)
            {
                var id = new ServiceId(service);
                var provider = n % 2 == 0 ? MailboxProvider.Gmail : MailboxProvider.Other;
                switch (kind)
                {
                    case 0 or 1:
                        credits.Grant(id, Of(score, gmail: gmail), n);
                        model[id] = (model.GetValueOrDefault(id).Credits + n, gmail);
                        break;
                    case 2:
                        credits.Revoke(id);
                        model.Remove(id);
                        break;
                    default:
                        var able = model.Where(m => m.Value.Credits > 0 && (provider != MailboxProvider.Gmail || m.Value.Gmail > 0)).Select(m => m.Key).ToArray();
                        Assert.Equal(able.Length > 0, credits.CanTake(provider));
                        var taken = credits.Take(provider, Now)?.Service;
                        Assert.Equal(able.Length > 0, taken is not null);
                        if (taken is { } from)
                        {
                            Assert.Contains(from, able);
                            model[from] = (model[from].Credits - 1, model[from].Gmail - (provider == MailboxProvider.Gmail ? 1 : 0));
                        }

                        break;
                }

                Assert.Equal(model.Values.Sum(m => m.Credits), credits.Credits);
            }
        });

    private ServiceId? Take(MailboxProvider provider = MailboxProvider.Other) => table.Take(provider, Now)?.Service;

    private static Standing Of(double success, double paceMs = 1_000, int gmail = int.MaxValue, long nextMs = long.MaxValue) => new(
        paceMs, 1, success,
        [.. Enumerable.Range(0, MailboxProviders.Count).Select(i => new ProviderStanding((MailboxProvider)i == MailboxProvider.Gmail ? gmail : int.MaxValue, 1, nextMs))]);
}
