using CsCheck;
using Edm.Contracts;
using Edm.Engine.Queues;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class RecipientLedgerTests
{
    private const int Chunk = 4096;

    private static readonly Gen<RecipientState> State = Gen.Int[0, RecipientStates.Count - 1].Select(n => (RecipientState)n);

    /// <summary>Sizes around the borders of chunks, where mistakes live.</summary>
    private static readonly Gen<int> Planned = Gen.OneOf(Gen.Int[1, 40], Gen.Int[Chunk - 2, Chunk + 2], Gen.Int[(2 * Chunk) - 1, (2 * Chunk) + 3]);

    /// <summary>A state set from here on, so far; positions and lengths are taken modulo the size.</summary>
    private static readonly Gen<(int At, int Length, RecipientState State)[]> Changes =
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.OneOf(Gen.Const(1), Gen.Int[1, 100], Gen.Int[1, 3 * Chunk]), State).Array[0, 20];

    [Fact]
    public void It_holds_what_a_plain_array_would_hold() => Gen.Select(Planned, Changes).Sample((planned, changes) =>
    {
        var (ledger, model) = Play(planned, changes);

        Assert.Equal(model, Enumerable.Range(1, planned).Select(seq => ledger[seq]));
        Assert.Equal(Enum.GetValues<RecipientState>().Select(state => model.Count(s => s == state)), ledger.Counts());
        Assert.Equal(planned, ledger.Counts().Sum());
        Assert.Equal(!model.Any(s => s is RecipientState.Waiting or RecipientState.Leased or RecipientState.PendingRetry), ledger.IsSettled);
    });

    [Fact]
    public void It_finds_what_a_plain_array_would_find() => Gen.Select(Planned, Changes, Gen.Select(State, Gen.Int[-2, 9000], Gen.Int[-2, 9000], Gen.Int[1, 5000]).Array[1, 20])
        .Sample((planned, changes, searches) =>
        {
            var (ledger, model) = Play(planned, changes);
            foreach (var (state, from, last, max) in searches)
            {
                var expected = Enumerable.Range(1, planned).Where(seq => seq >= from && seq <= last && model[seq - 1] == state).Select(seq => (int?)seq).FirstOrDefault();
                Assert.Equal(expected, ledger.First(state, from, last));
                if (expected is { } first)
                {
                    var run = model.Skip(first - 1).Take(Math.Min(max, last - first + 1)).TakeWhile(s => s == state).Count();
                    Assert.Equal(new SeqRange(first, first + run - 1), ledger.Run(state, first, last, max));
                }

                Assert.Equal(Enumerable.Range(1, planned).Where(seq => model[seq - 1] == state), ledger.All(state));
            }
        });

    [Fact]
    public void Runs_are_shortest_and_bring_it_back() => Gen.Select(Planned, Changes).Sample((planned, changes) =>
    {
        var (ledger, model) = Play(planned, changes);

        var runs = ledger.ToRuns();

        Assert.All(runs.Where((_, i) => i % 2 == 1), length => Assert.True(length > 0));
        Assert.All(Enumerable.Range(0, (runs.Length / 2) - 1), i => Assert.NotEqual(runs[2 * i], runs[(2 * i) + 2]));
        var back = RecipientLedger.FromRuns(runs);
        Assert.Equal(model, Enumerable.Range(1, planned).Select(seq => back[seq]));
        Assert.Equal(ledger.Counts(), back.Counts());
        Assert.Equal(runs, back.ToRuns());
    });

    [Fact]
    public void Nobody_planned_is_settled_at_once()
    {
        var ledger = new RecipientLedger(0);

        Assert.True(ledger.IsSettled);
        Assert.Null(ledger.First(RecipientState.Waiting, 1, int.MaxValue));
        Assert.Equal(0, RecipientLedger.FromRuns(ledger.ToRuns()).Planned);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(11)]
    public void A_recipient_that_the_task_does_not_have_is_refused(int seq)
    {
        var ledger = new RecipientLedger(10);

        Assert.Throws<ArgumentOutOfRangeException>(() => ledger[seq]);
        Assert.Throws<ArgumentOutOfRangeException>(() => ledger[seq] = RecipientState.Sent);
        Assert.Equal(10, ledger.Count(RecipientState.Waiting));
    }

    [Fact]
    public void A_million_recipients_take_half_a_megabyte_at_most()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var ledger = new RecipientLedger(1_000_000);
        for (var seq = 1; seq <= 1_000_000; seq += 2)
        {
            ledger[seq] = RecipientState.Sent;
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 500_000, 540_000);
        GC.KeepAlive(ledger);
    }

    private static (RecipientLedger Ledger, RecipientState[] Model) Play(int planned, (int At, int Length, RecipientState State)[] changes)
    {
        var ledger = new RecipientLedger(planned);
        var model = new RecipientState[planned];
        foreach (var (at, length, state) in changes)
        {
            var first = 1 + (at % planned);
            var last = Math.Min(planned, first + length - 1);
            if (first == last)
            {
                ledger[first] = state;
            }
            else
            {
                ledger.Set(new SeqRange(first, last), state);
            }

            Array.Fill(model, state, first - 1, last - first + 1);
        }

        return (ledger, model);
    }
}
