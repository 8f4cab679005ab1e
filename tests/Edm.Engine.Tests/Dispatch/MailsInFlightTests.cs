using Edm.Contracts;
using Edm.Engine.Dispatch;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class MailsInFlightTests
{
    private static readonly LaneId Lane = new(new PoolId(1), 0);
    private static readonly LaneId Other = new(new PoolId(1), 1);

    private readonly MailsInFlight mails = new();

    [Fact]
    public async Task The_outcome_is_found_before_and_after_it_is_known()
    {
        var outcome = mails.Begin(Lane, Key(1));
        var found = mails.Find(Lane, Key(1))!;
        Assert.False(found.IsCompleted);

        outcome.SetResult(Ended(1));

        Assert.Equal(Ended(1), await found);
        Assert.Equal(Ended(1), await mails.Find(Lane, Key(1))!);
    }

    [Fact]
    public void What_was_never_sent_or_is_forgotten_or_belongs_to_another_lane_is_not_found()
    {
        mails.Begin(Lane, Key(1));
        mails.Begin(Lane, Key(2));
        mails.Forget(Lane, Key(2));
        mails.Forget(Lane, Key(3));

        Assert.Null(mails.Find(Lane, Key(2)));
        Assert.Null(mails.Find(Lane, Key(3)));
        Assert.Null(mails.Find(Other, Key(1)));
        Assert.Equal(1, mails.Count);
    }

    [Fact]
    public void A_mail_is_never_sent_beside_itself()
    {
        mails.Begin(Lane, Key(1));

        Assert.Throws<InvalidOperationException>(() => mails.Begin(Lane, Key(1)));
        mails.Begin(Other, Key(1));
    }

    [Fact]
    public void Everything_of_the_lane_but_the_open_ones_can_be_forgotten()
    {
        mails.Begin(Lane, Key(1));
        mails.Begin(Lane, Key(2));
        mails.Begin(Other, Key(3));

        mails.ForgetAllBut(Lane, [Key(2), Key(9)]);

        Assert.Null(mails.Find(Lane, Key(1)));
        Assert.NotNull(mails.Find(Lane, Key(2)));
        Assert.NotNull(mails.Find(Other, Key(3)));
    }

    private static MailKey Key(int seq) => new(new UserId(1), new LeaseNr(1), seq);

    private static EndedMail Ended(int seq) => new(new UserId(1), new Outcome(new TaskId(1), new LeaseNr(1), seq, 1, OutcomeKind.Sent, 0));
}
