using System.Net;

namespace Edm.Engine.Services.Smtp;

/// <summary>Sends through MailKit. <paramref name="sandbox"/> tells where this node's sandbox listens, null while there is none.</summary>
public sealed class MailKitTransport(SmtpTimeouts timeouts, Func<IPEndPoint?> sandbox, TimeProvider time) : IMailTransport
{
    public IMailConnection Open(ServiceSettings service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return new MailKitConnection(service, timeouts, sandbox, time);
    }
}
