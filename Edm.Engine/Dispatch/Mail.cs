using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Dispatch;

/// <summary>One recipient on its way through a lane, with the person loaded.</summary>
public sealed record Mail(MailKey Key, TaskContext Task, int Attempt, ContactCard Contact) : IMailToBind
{
    public MailboxProvider Provider { get; } = MailboxProviders.Of(Contact.Email);

    public ServiceId[] RefusedBy { get; init; } = [];

    /// <summary>Why the service was chosen that has it now; null before.</summary>
    public Choice? Choice { get; init; }

    public StartedMail StartedBy(ServiceId service) => new(Key.User, Task.Task, Key.Lease, Key.Seq, Attempt, service, (int)Provider);

    /// <summary>What is journaled of it: nobody's name or address, whatever the server or a template said.</summary>
    /// <param name="reason">In plain words, for people.</param>
    public EndedMail Ended(OutcomeKind kind, long atMs, ServiceId? service, string? reason = null) =>
        new(Key.User, new Outcome(Task.Task, Key.Lease, Key.Seq, Attempt, kind, atMs, service, Reason: Impersonal(reason), Choice: service is null ? null : Choice));

    /// <summary>It was not tried, because nobody may send to its provider before then.</summary>
    public EndedMail Postponed(long atMs, long notBeforeMs, string reason) =>
        new(Key.User, new Outcome(Task.Task, Key.Lease, Key.Seq, Attempt, OutcomeKind.Postponed, atMs, Reason: reason, NotBeforeMs: notBeforeMs, Provider: (int)Provider));

    internal string? Impersonal(string? text) =>
        string.IsNullOrEmpty(text) ? text : ReplyText.WithoutRecipient(ReplyText.WithoutAddresses(text), Contact.Email, Contact.Handle, Contact.Nickname);
}
