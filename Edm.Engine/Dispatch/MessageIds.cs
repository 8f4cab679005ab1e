using System.Globalization;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Dispatch;

/// <summary>The Message-ID of a mail (RFC 5322, 3.6.4): the same for every try of the same intent, so that a receiver can tell a repeat, and later replies can be matched.</summary>
internal static class MessageIds
{
    public static string Of(Mail mail, string senderAddress)
    {
        var domain = Envelope.TryParse(senderAddress, out var sender) ? sender.Domain : senderAddress.AsSpan(senderAddress.LastIndexOf('@') + 1);
        return string.Create(CultureInfo.InvariantCulture, $"edm.{mail.Task.Task.Value}.{mail.Key.Seq}@{domain}");
    }
}
