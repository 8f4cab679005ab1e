using Edm.Contracts;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

/// <summary>One connection of a ServiceSink and the one mail that it may be busy with.</summary>
internal sealed class Slot
{
    /// <summary>Null until first needed, after a change of the service, and after it was idle for long.</summary>
    public IMailConnection? Connection { get; set; }

    /// <summary>Null: the slot is free.</summary>
    public Mail? Mail { get; set; }

    public OutgoingMail? Message { get; set; }

    public bool IsSending { get; set; }

    /// <summary>The service was changed while the slot was busy: its connection is of no use afterwards.</summary>
    public bool IsStale { get; set; }

    /// <summary>Mails that went through its connection.</summary>
    public int Mails { get; set; }

    public long LastUsedMs { get; set; }

    public bool IsFree => Mail is null;

    public bool IsBusyWith(MailKey key) => Mail?.Key == key;

    /// <summary>Never while it is sending: the message's octets go back to where they came from.</summary>
    public void Free(long nowMs)
    {
        Message?.Dispose();
        (Mail, Message, IsSending, LastUsedMs) = (null, null, false, nowMs);
    }
}
