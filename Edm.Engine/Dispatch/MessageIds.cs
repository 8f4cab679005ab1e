using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Dispatch;

/// <summary>
/// The Message-ID of a mail (RFC 5322, 3.6.4), in the sender's domain: the same for every try of the same intent, so that a receiver can tell a repeat, and later
/// replies can be matched; and another in every installation, so that nobody drops a mail as the repeat of one from a database that is gone.
/// </summary>
internal static class MessageIds
{
    private const string Prefix = "edm";

    public static string Of(Mail mail, ServiceSettings service) => Of(mail.Task.Task, mail.Key.Seq, service.Mark, service.SenderAddress);

    public static string Of(TaskId task, int seq, string mark, string senderAddress)
    {
        var domain = Envelope.TryParse(senderAddress, out var sender) ? sender.Domain : senderAddress.AsSpan(senderAddress.LastIndexOf('@') + 1);
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}.{task.Value}.{seq}.{mark}@{domain}");
    }

    /// <summary>Reads back whose mail it is, as a relay's log has it: with or without its angle brackets.</summary>
    /// <param name="mark">Of this installation; an id with another mark is none of ours.</param>
    public static bool TryRead(string text, string mark, out TaskId task, out int seq)
    {
        (task, seq) = (default, 0);
        var id = text.AsSpan().Trim();
        id = id is ['<', .. var inner, '>'] ? inner : id;
        var at = id.IndexOf('@');
        Span<Range> parts = stackalloc Range[5];
        if (at < 0 || at == id.Length - 1 || id[..at].Split(parts, '.') != 4)
        {
            return false;
        }

        var words = id[..at];
        if (!words[parts[0]].SequenceEqual(Prefix) || !words[parts[3]].SequenceEqual(mark)
            || !long.TryParse(words[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !int.TryParse(words[parts[2]], NumberStyles.None, CultureInfo.InvariantCulture, out seq) || seq < 1)
        {
            return false;
        }

        task = new TaskId(number);
        return true;
    }
}
