using Akka.Event;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Dispatch;

/// <param name="Action">What follows for the service; null when it said nothing.</param>
/// <param name="Stage">What the server was asked.</param>
internal sealed record Sent(ServiceId Service, MailKey Key, EndedMail Ended, ReplyAction? Action, ReplyStage Stage) : IForSink
{
    public ServiceAnswer Answer => ServiceAnswer.Of(Ended.Outcome, Action, Stage);
}

/// <summary>Puts a mail whose start is durable on the wire and says what became of it, whatever happens to the ServiceSink meanwhile.</summary>
internal sealed class SendMail(TimeProvider time, ILoggingAdapter log, CancellationToken stopping)
{
    /// <summary>The outcome goes to <paramref name="outcome"/> first: it survives the actor.</summary>
    public async Task<Sent> SendAsync(IMailConnection connection, OutgoingMail message, Mail mail, ServiceSettings with, TaskCompletionSource<EndedMail> outcome)
    {
        Attempt attempt;
        try
        {
            // Not cancelled when the actor stops: the mail is on the wire, and what became of it is wanted. The transport's deadlines bound it.
            attempt = await connection.SendAsync(message, with.SenderAddress, mail.Contact.Email, CancellationToken.None);
        }
        catch (Exception e)
        {
            // The transport promises not to throw; if it does, nobody knows how far it had got.
            log.Error(e, "The transport of service {Service} failed in the middle of a mail", with.Id);
            attempt = new Attempt(AttemptResult.Unknown, null, null, "", "the transport failed");
        }

        message.Dispose();
        var (ended, action) = AttemptOutcome.Of(mail, attempt, with.Id, time.GetUtcNow().ToUnixTimeMilliseconds());
        outcome.SetResult(ended);
        if (stopping.IsCancellationRequested)
        {
            await connection.DisposeAsync();
        }

        return new Sent(with.Id, mail.Key, ended, action, attempt.Stage);
    }
}
