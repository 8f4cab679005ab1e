using Edm.Contracts;

namespace Edm.Engine.Services.Replies;

/// <summary>What follows from a reply.</summary>
public enum ReplyAction
{
    /// <summary>The mail is sent.</summary>
    Done,

    /// <summary>The recipient waits, by the backoff of the class, and is tried again.</summary>
    Retry,

    /// <summary>The recipient has failed.</summary>
    Fail,

    /// <summary>The recipient has failed, and the user's address is suppressed: no such mailbox exists.</summary>
    Suppress,

    /// <summary>The service is left alone for a while and its owner told; the recipient waits for another try, which may be another service's.</summary>
    Pause,

    /// <summary>
    /// It is the sender who is not wanted, and the next mail may fare no better: the service's owner is told, the service leaves the recipient's provider in peace for a while,
    /// and the recipient waits for another try, which is another service's where there is one.
    /// </summary>
    Alert,
}

public static class ReplyActions
{
    private static readonly string[] Names = ["done", "retry", "fail", "suppress", "pause", "alert"];

    public static string Name(this ReplyAction action) => Names[(int)action];

    internal static bool TryParse(string name, out ReplyAction action)
    {
        var index = Array.IndexOf(Names, name);
        action = (ReplyAction)Math.Max(index, 0);
        return index >= 0;
    }

    /// <summary>The usual action of a class.</summary>
    /// <param name="isFinal">The reply says that another try is useless: 5xx (RFC 5321, 4.2.1).</param>
    internal static ReplyAction Usual(ReplyClass reply, bool isFinal) => reply switch
    {
        ReplyClass.Accepted => ReplyAction.Done,

        // These pass by themselves; servers that say so with 5xx mean no more by it.
        ReplyClass.MailboxFull or ReplyClass.Greylisted or ReplyClass.Throttled => ReplyAction.Retry,
        _ when !isFinal => ReplyAction.Retry,
        ReplyClass.NoSuchUser => ReplyAction.Suppress,
        ReplyClass.RelayDenied => ReplyAction.Pause,
        ReplyClass.PolicyOrReputationBlock or ReplyClass.AuthenticationFailed => ReplyAction.Alert,
        ReplyClass.NoSuchDomain or ReplyClass.ContentRejected or ReplyClass.ServiceFault or ReplyClass.Unknown => ReplyAction.Fail,
        _ => throw new ArgumentOutOfRangeException(nameof(reply), reply, "Not a class."),
    };
}
