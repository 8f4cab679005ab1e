using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <summary>What a try means for its recipient: the server's reply is read by the table of replies, and its class decides. Pure.</summary>
internal static class AttemptOutcome
{
    /// <returns>The outcome, and what follows for the service; no action where no server said anything.</returns>
    public static (EndedMail Ended, ReplyAction? Action) Of(Mail mail, Attempt attempt, ServiceId service, long nowMs)
    {
        var outcome = new Outcome(mail.Task.Task, mail.Key.Lease, mail.Key.Seq, mail.Attempt, OutcomeKind.Sent, nowMs, service, attempt.ReplyCode, attempt.Enhanced, mail.Impersonal(attempt.Reply),
            mail.Impersonal(attempt.Reason), mail.Choice);
        var (judged, action) = attempt switch
        {
            { Result: AttemptResult.Accepted } => (outcome, (ReplyAction?)ReplyAction.Done),

            // A reply that makes no sense where it stands tells nothing of the mail, which may have been taken.
            { Result: AttemptResult.Unknown } => (outcome with { Kind = OutcomeKind.Unknown }, null),
            { ReplyCode: { } code and >= 400 and <= 599 } => Judged(outcome, ReplyClassifier.Of(code, attempt.Reply, attempt.Stage)),
            { Result: AttemptResult.Deferred } => (outcome with { Kind = OutcomeKind.Deferred, Class = ReplyClass.ServiceFault }, null),

            // No server was asked: this mail can't be put on the wire.
            { Result: AttemptResult.Rejected } => (outcome with { Kind = OutcomeKind.Failed }, null),
            _ => throw new InvalidOperationException($"{attempt.Result} is not a result."),
        };
        return (new EndedMail(mail.Key.User, judged), action);
    }

    private static (Outcome, ReplyAction?) Judged(Outcome outcome, ReplyVerdict verdict) => (
        outcome with
        {
            Kind = verdict.Action switch
            {
                ReplyAction.Done => OutcomeKind.Sent,
                ReplyAction.Retry or ReplyAction.Pause or ReplyAction.Alert => OutcomeKind.Deferred,
                ReplyAction.Fail or ReplyAction.Suppress => OutcomeKind.Failed,
                _ => throw new InvalidOperationException($"{verdict.Action} is not an action."),
            },
            Class = verdict.Class,
            RetryAfterSeconds = verdict.RetryAfter is { } wait ? (int)Math.Ceiling(wait.TotalSeconds) : null,
            Suppress = verdict.Action == ReplyAction.Suppress ? true : null,
            Unwanted = verdict.Action == ReplyAction.Alert ? true : null,
        },
        verdict.Action);
}
