using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class AttemptOutcomeTests
{
    private static readonly Mail Mail = new(
        new MailKey(new UserId(1), new LeaseNr(2), 3), new TaskContext(new TaskId(4), new UserId(1), new CampaignId(5), 1, new TemplateId(6), 1, new PoolId(7)), 2,
        new ContactCard(new ContactId(8), "a@example.com", null, null, null, null, null, null, null, new Dictionary<string, string>()));

    [Theory]
    [InlineData(550, "5.1.1 no such user", OutcomeKind.Failed, ReplyClass.NoSuchUser, ReplyAction.Suppress, true)]
    [InlineData(550, "5.2.1 account suspended", OutcomeKind.Failed, ReplyClass.NoSuchUser, ReplyAction.Fail, null)]
    [InlineData(450, "4.2.0 greylisted", OutcomeKind.Deferred, ReplyClass.Greylisted, ReplyAction.Retry, null)]
    [InlineData(552, "5.2.2 mailbox full", OutcomeKind.Deferred, ReplyClass.MailboxFull, ReplyAction.Retry, null)]
    [InlineData(530, "5.7.0 Authentication required", OutcomeKind.Deferred, ReplyClass.AuthenticationFailed, ReplyAction.Pause, null)]
    [InlineData(554, "5.7.1 blocked using zen.spamhaus.org", OutcomeKind.Deferred, ReplyClass.PolicyOrReputationBlock, ReplyAction.Alert, null)]
    [InlineData(554, "what now", OutcomeKind.Failed, ReplyClass.Unknown, ReplyAction.Fail, null)]
    public void A_reply_is_read_and_its_action_decides(int code, string words, OutcomeKind kind, ReplyClass? reply, ReplyAction? action, bool? suppress)
    {
        var (ended, found) = Of(new Attempt(code < 500 ? AttemptResult.Deferred : AttemptResult.Rejected, code, null, words, "why"));

        Assert.Equal((kind, reply, suppress, action), (ended.Outcome.Kind, ended.Outcome.Class, ended.Outcome.Suppress, found));
        Assert.Equal((new UserId(1), 3, 2, (int?)code, words, "why"), (ended.User, ended.Outcome.Seq, ended.Outcome.Attempt, ended.Outcome.ReplyCode, ended.Outcome.Reply, ended.Outcome.Reason));
    }

    [Fact]
    public void The_stage_tells_whom_a_reply_without_words_is_about() =>
        Assert.Equal(ReplyClass.ContentRejected, Of(new Attempt(AttemptResult.Rejected, 554, null, "no", "why", ReplyStage.Data)).Ended.Outcome.Class);

    [Fact]
    public void What_the_server_asks_to_wait_is_in_whole_seconds() =>
        Assert.Equal(300, Of(new Attempt(AttemptResult.Deferred, 451, null, "try again in 5 minutes", "why")).Ended.Outcome.RetryAfterSeconds);

    [Theory]
    [InlineData(AttemptResult.Accepted, 250, OutcomeKind.Sent, null)]
    [InlineData(AttemptResult.Unknown, null, OutcomeKind.Unknown, null)]
    [InlineData(AttemptResult.Unknown, 354, OutcomeKind.Unknown, null)]
    [InlineData(AttemptResult.Deferred, null, OutcomeKind.Deferred, ReplyClass.ServiceFault)]
    [InlineData(AttemptResult.Deferred, 250, OutcomeKind.Deferred, ReplyClass.ServiceFault)]
    [InlineData(AttemptResult.Rejected, null, OutcomeKind.Failed, null)]
    public void Without_a_refusal_the_transport_decides(AttemptResult result, int? code, OutcomeKind kind, ReplyClass? reply)
    {
        var (ended, action) = Of(new Attempt(result, code, null, "user unknown", "why"));

        Assert.Equal((kind, reply, (bool?)null), (ended.Outcome.Kind, ended.Outcome.Class, ended.Outcome.Suppress));
        Assert.Equal(kind == OutcomeKind.Sent ? ReplyAction.Done : (ReplyAction?)null, action);
    }

    private static (EndedMail Ended, ReplyAction? Action) Of(Attempt attempt) => AttemptOutcome.Of(Mail, attempt, new ServiceId(9), 10);
}
