using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Edm.Engine.Services.Smtp;

/// <summary>Refuses every certificate that neither the system nor the configured authorities vouch for, and remembers why in words for the service's owner.</summary>
/// <param name="authorities">Trusted beside the system's; null: none.</param>
internal sealed class CertificateCheck(TrustedAuthorities? authorities)
{
    private const int ShownReasons = 3;
    private const int ShownNames = 5;

    public string? Fault { get; private set; }

    public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        IEnumerable<X509ChainStatus> faults = chain?.ChainStatus ?? [];
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) && authorities is not null && certificate is X509Certificate2 shown)
        {
            if (authorities.VouchFor(shown, chain, out var others))
            {
                errors &= ~SslPolicyErrors.RemoteCertificateChainErrors;
            }

            faults = others;
        }

        Fault = errors switch
        {
            SslPolicyErrors.None => null,
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "the server showed no certificate",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) => $"the server's certificate is not trusted: {Words(faults)}",
            _ => $"the server's certificate is for another name: {Names(certificate)}",
        };
        return errors == SslPolicyErrors.None;
    }

    private static string Words(IEnumerable<X509ChainStatus> faults)
    {
        var words = faults.Select(status => status.StatusInformation.Trim()).Where(text => text.Length > 0).Distinct().Take(ShownReasons).ToArray();
        return words.Length > 0 ? string.Join("; ", words) : "no chain to a known authority";
    }

    private static string Names(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 shown)
        {
            return certificate?.Subject ?? "none";
        }

        var names = shown.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(address => address.ToString())))
            .Take(ShownNames).ToArray();
        return names.Length > 0 ? string.Join(", ", names) : shown.Subject;
    }
}
