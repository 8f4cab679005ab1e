using System.Net;

namespace Edm.Engine.Services.Smtp;

/// <summary>Sends by SMTP. <paramref name="sandbox"/> tells where this node's sandbox listens, null while there is none.</summary>
/// <param name="authorities">Trusted beside those of the system; null: none.</param>
public sealed class SmtpTransport(SmtpTimeouts timeouts, Func<IPEndPoint?> sandbox, TimeProvider time, TrustedAuthorities? authorities = null) : IMailTransport
{
    public IMailConnection Open(ServiceSettings service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return new SmtpConnection(service, timeouts, sandbox, time, authorities);
    }

    /// <summary>Connects, secures, logs in and asks for a sign of life, then hangs up.</summary>
    /// <returns>What was achieved, in words.</returns>
    /// <exception cref="ServiceFaultException">The service can't be used.</exception>
    public async Task<string> ProbeAsync(ServiceSettings service, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(service);
        await using var connection = new SmtpConnection(service, timeouts, sandbox, time, authorities);
        return await connection.ProbeAsync(cancellation);
    }
}
