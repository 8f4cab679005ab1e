namespace Edm.Contracts;

/// <summary>What a server's reply to a mail means. The numbers are stored: never change one.</summary>
public enum ReplyClass
{
    /// <summary>The server took responsibility for the mail.</summary>
    Accepted = 0,

    /// <summary>The mailbox is there and holds no more. It may be emptied, so it is tried again whatever the code says.</summary>
    MailboxFull = 1,

    /// <summary>There is no such mailbox, or it is closed.</summary>
    NoSuchUser = 2,

    /// <summary>There is no such domain, or it takes no mail.</summary>
    NoSuchDomain = 3,

    /// <summary>A stranger's first mail is asked to come back later.</summary>
    Greylisted = 4,

    /// <summary>Too much, too fast, or too much for today.</summary>
    Throttled = 5,

    /// <summary>What is in the mail, its form or its size is not wanted.</summary>
    ContentRejected = 6,

    /// <summary>Who sends is not wanted: a block list, a bad name, reverse DNS, a rule of the receiver.</summary>
    PolicyOrReputationBlock = 7,

    /// <summary>The login of the service was refused, or the sender's domain does not prove itself (SPF, DKIM, DMARC).</summary>
    AuthenticationFailed = 8,

    /// <summary>The service does not pass on mail for us, or not from this sender.</summary>
    RelayDenied = 9,

    /// <summary>The server, the network or the conversation is at fault, not the mail.</summary>
    ServiceFault = 10,

    /// <summary>Nothing that is known.</summary>
    Unknown = 11,
}

/// <summary>The names as the API, the database and the screens write them.</summary>
public static class ReplyClasses
{
    private static readonly string[] Names =
    [
        "accepted", "mailbox-full", "no-such-user", "no-such-domain", "greylisted", "throttled", "content-rejected", "policy-or-reputation-block", "authentication-failed",
        "relay-denied", "service-fault", "unknown",
    ];

    public static string Name(this ReplyClass reply) => Names[(int)reply];

    public static bool TryParse(string name, out ReplyClass reply)
    {
        var index = Array.IndexOf(Names, name);
        reply = (ReplyClass)Math.Max(index, 0);
        return index >= 0;
    }
}
