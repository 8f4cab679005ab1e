using CsCheck;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class CreditTableTests
{
    private static readonly ServiceId A = new(1);
    private static readonly ServiceId B = new(2);

    private readonly CreditTable table = new();

    [Fact]
    public void The_best_score_is_taken_while_it_lasts()
    {
        table.Grant(A, 0.5, 2);
        table.Grant(B, 0.9, 1);

        Assert.Equal([B, A, A, null], Enumerable.Range(0, 4).Select(_ => table.Take()));
    }

    [Fact]
    public void Equal_scores_take_turns()
    {
        table.Grant(A, 0.5, 3);
        table.Grant(B, 0.5, 3);

        var taken = Enumerable.Range(0, 6).Select(_ => table.Take()).ToArray();

        Assert.All(taken.Chunk(2), pair => Assert.Equal(2, pair.Distinct().Count()));
    }

    [Fact]
    public void The_newest_score_counts_for_all_credits()
    {
        table.Grant(A, 0.9, 1);
        table.Grant(B, 0.5, 1);
        table.Grant(A, 0.1, 1);

        Assert.Equal([B, A, A], Enumerable.Range(0, 3).Select(_ => table.Take()));
    }

    [Fact]
    public void No_credit_is_spent_twice_or_after_it_was_revoked() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 4], Gen.Double[0, 1], Gen.Int[0, 5]).Array[1, 60].Sample(steps =>
        {
            var credits = new CreditTable();
            var model = new Dictionary<ServiceId, int>();
            foreach (var (kind, service, score, n) in steps)
            {
                var id = new ServiceId(service);
                switch (kind)
                {
                    case 0:
                        credits.Grant(id, score, n);
                        model[id] = model.GetValueOrDefault(id) + n;
                        break;
                    case 1:
                        credits.Revoke(id);
                        model.Remove(id);
                        break;
                    default:
                        var taken = credits.Take();
                        Assert.Equal(model.Values.Sum() > 0, taken is not null);
                        if (taken is { } from)
                        {
                            Assert.True(--model[from] >= 0);
                        }

                        break;
                }

                Assert.Equal(model.Values.Sum(), credits.Credits);
            }
        });
}
