using System.Globalization;
using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Dispatch;

/// <summary>
/// The Message-ID of a mail (RFC 5322, 3.6.4), in the sender's domain: the same for every try of the same intent, so that a receiver can tell a repeat, and later
/// replies can be matched; and another in every installation, so that nobody drops a mail as the repeat of one from a database that is gone.
/// </summary>
internal static class MessageIds
{
    public static string Of(Mail mail, ServiceSettings service)
    {
        var domain = Envelope.TryParse(service.SenderAddress, out var sender) ? sender.Domain : service.SenderAddress.AsSpan(service.SenderAddress.LastIndexOf('@') + 1);
        return string.Create(CultureInfo.InvariantCulture, $"edm.{mail.Task.Task.Value}.{mail.Key.Seq}.{service.Mark}@{domain}");
    }
}
