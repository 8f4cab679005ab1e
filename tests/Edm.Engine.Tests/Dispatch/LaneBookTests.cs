using Edm.Contracts;
using Edm.Engine.Dispatch;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class LaneBookTests
{
    private static readonly UserId User = new(1);
    private static readonly TaskId Task1 = new(11);
    private static readonly LaneId Lane = new(new PoolId(1), 0);

    private readonly LaneBook book = new();

    [Fact]
    public void A_mail_is_started_once_and_only_while_it_is_held()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]));

        Assert.True(book.TryStart(Key(5, 1)));
        Assert.False(book.TryStart(Key(5, 1)));
        Assert.False(book.TryStart(Key(5, 3)));
        Assert.False(book.TryStart(Key(6, 1)));
        Assert.False(book.TryStart(Key(5, 2) with { User = new UserId(2) }));
        Assert.Equal((2, 1), (book.Held, book.StartedCount));
    }

    [Fact]
    public void What_is_released_is_not_held_any_more()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]));
        book.TryStart(Key(5, 1));

        Assert.True(book.Release(Key(5, 1)));
        Assert.False(book.Release(Key(5, 1)));
        Assert.False(book.IsHeld(Key(5, 1)));
        Assert.False(book.TryStart(Key(5, 1)));
        Assert.True(book.Holds(User, new LeaseNr(5)));
        Assert.True(book.Release(Key(5, 2)));
        Assert.False(book.Holds(User, new LeaseNr(5)));
        Assert.Equal((0, 0), (book.Held, book.StartedCount));
    }

    [Fact]
    public void Retries_are_held_like_first_tries()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)], new RetryItem(9, 3, 0)));

        Assert.Equal(3, book.Held);
        Assert.True(book.TryStart(Key(5, 9)));
    }

    [Fact]
    public void A_batch_without_a_lease_is_nothing()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]) with { Lease = null });

        Assert.Equal(0, book.Held);
    }

    [Fact]
    public void A_lease_that_comes_twice_is_held_once()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]));
        book.TryStart(Key(5, 1));
        book.Add(Batch(5, [new SeqRange(1, 2)]));

        Assert.Equal((2, 1), (book.Held, book.StartedCount));
        Assert.False(book.TryStart(Key(5, 1)));
    }

    [Fact]
    public void A_recall_gives_back_what_is_not_started_of_that_task_up_to_that_lease()
    {
        book.Add(Batch(5, [new SeqRange(1, 4)]));
        book.Add(Batch(6, [new SeqRange(5, 6)]));
        book.Add(Batch(7, [new SeqRange(7, 8)]) with { Task = new TaskId(12) });
        book.Add(Batch(8, [new SeqRange(7, 8)]));
        book.Add(Batch(5, [new SeqRange(1, 4)]) with { User = new UserId(2) });
        book.TryStart(Key(5, 2));

        var returned = book.Recall(Lane, User, Task1, new LeaseNr(7));

        Assert.Equivalent(
            new[] { new Returned(User, Lane, new LeaseNr(5), [new SeqRange(1, 1), new SeqRange(3, 4)]), new Returned(User, Lane, new LeaseNr(6), [new SeqRange(5, 6)]) },
            returned, strict: true);
        Assert.False(book.TryStart(Key(5, 1)));
        Assert.True(book.IsHeld(Key(5, 2)));
        Assert.False(book.Holds(User, new LeaseNr(6)));
        Assert.True(book.TryStart(Key(7, 7)));
        Assert.True(book.TryStart(Key(8, 7)));
        Assert.Empty(book.Recall(Lane, User, Task1, new LeaseNr(7)));
        Assert.Equal((1 + 2 + 2 + 4, 3), (book.Held, book.StartedCount));
    }

    [Fact]
    public void Giving_up_keeps_what_is_started()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]));
        book.TryStart(Key(5, 2));

        Assert.Equal([new SeqRange(1, 1)], Assert.Single(book.GiveUpAll(Lane)).Seqs);
        Assert.Equal((1, 1), (book.Held, book.StartedCount));
        Assert.Empty(book.GiveUpAll(Lane));
    }

    [Fact]
    public void What_has_ended_without_a_start_is_not_given_back()
    {
        book.Add(Batch(5, [new SeqRange(1, 2)]));

        Assert.True(book.End(Key(5, 1)));
        Assert.False(book.End(Key(5, 3)));
        Assert.False(book.TryStart(Key(5, 1)));
        Assert.Equal([new SeqRange(2, 2)], Assert.Single(book.GiveUpAll(Lane)).Seqs);
        Assert.True(book.Release(Key(5, 1)));
        Assert.Equal((0, 0), (book.Held, book.StartedCount));
    }

    [Fact]
    public void A_mail_of_an_earlier_incarnation_is_held_as_started()
    {
        var mail = new StartedMail(User, Task1, new LeaseNr(5), 2, 1, new ServiceId(1));

        book.AddStarted(mail);
        book.AddStarted(mail);

        Assert.Equal((1, 1), (book.Held, book.StartedCount));
        Assert.False(book.TryStart(Key(5, 2)));
        Assert.Empty(book.GiveUpAll(Lane));
        Assert.True(book.Release(Key(5, 2)));
        Assert.Equal((0, 0), (book.Held, book.StartedCount));
    }

    private static MailKey Key(long lease, int seq) => new(User, new LeaseNr(lease), seq);

    private static Batch Batch(long lease, SeqRange[] fresh, params RetryItem[] retries) => new(User, Lane, 1, 1, new LeaseNr(lease), Task1, fresh, retries, false);
}
