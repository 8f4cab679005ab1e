using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;

namespace Edm.Engine.Dispatch;

/// <summary>One recipient on its way through a lane, with the person loaded.</summary>
public sealed record Mail(MailKey Key, TaskContext Task, int Attempt, ContactCard Contact)
{
    public StartedMail StartedBy(ServiceId service) => new(Key.User, Task.Task, Key.Lease, Key.Seq, Attempt, service);

    public EndedMail Ended(OutcomeKind kind, long atMs, ServiceId? service, int? replyCode = null, string? enhanced = null, string? reply = null, string? reason = null) =>
        new(Key.User, new Outcome(Task.Task, Key.Lease, Key.Seq, Attempt, kind, atMs, service, replyCode, enhanced, reply, reason));
}
