using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>The mails of one service between its credit and its end, as numbers: granted, preparing, starting, on the wire.</summary>
internal sealed class MailsInHand
{
    private readonly int[] preparing = new int[MailboxProviders.Count];
    private readonly int[] starting = new int[MailboxProviders.Count];
    private readonly int[] sending = new int[MailboxProviders.Count];

    /// <summary>Granted and not spent.</summary>
    public int Credits { get; set; }

    /// <summary>Bound; their connection and their message are made ready.</summary>
    public int Preparing { get; private set; }

    /// <summary>They wait for the journal, and will start when it has them.</summary>
    public int Starting { get; private set; }

    /// <summary>On the wire.</summary>
    public int Sending { get; private set; }

    /// <summary>Places of the quota that are spoken for. A mail counts in the hour and day in which it starts.</summary>
    public int Reserved => Credits + Preparing + Starting;

    public bool IsEmpty => Reserved + Sending == 0;

    /// <summary>Bound and not started.</summary>
    public int WaitingFor(MailboxProvider provider) => preparing[(int)provider] + starting[(int)provider];

    /// <summary>Bound and not ended.</summary>
    public int BoundFor(MailboxProvider provider) => WaitingFor(provider) + sending[(int)provider];

    public int StartingFor(MailboxProvider provider) => starting[(int)provider];

    /// <summary>A credit becomes a mail.</summary>
    public void Bind(MailboxProvider provider)
    {
        preparing[(int)provider]++;
        Preparing++;
    }

    public void Unbind(MailboxProvider provider)
    {
        preparing[(int)provider]--;
        Preparing--;
    }

    public void Ready(MailboxProvider provider)
    {
        Unbind(provider);
        starting[(int)provider]++;
        Starting++;
    }

    public void Unready(MailboxProvider provider)
    {
        starting[(int)provider]--;
        Starting--;
    }

    public void Start(MailboxProvider provider)
    {
        Unready(provider);
        sending[(int)provider]++;
        Sending++;
    }

    public void End(MailboxProvider provider)
    {
        sending[(int)provider]--;
        Sending--;
    }
}
