using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Edm.Engine.Services.Smtp;

/// <summary>Refuses every certificate that the system refuses, and remembers why in words for the service's owner.</summary>
internal sealed class CertificateCheck
{
    public string? Fault { get; private set; }

    public bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Fault = errors switch
        {
            SslPolicyErrors.None => null,
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "the server showed no certificate",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) => $"the server's certificate is not trusted: {Chain(chain)}",
            _ => $"the server's certificate is for another name: {Names(certificate)}",
        };
        return errors == SslPolicyErrors.None;
    }

    private static string Chain(X509Chain? chain)
    {
        var words = chain?.ChainStatus.Select(status => status.StatusInformation.Trim()).Where(text => text.Length > 0).Distinct().Take(3).ToArray() ?? [];
        return words.Length > 0 ? string.Join("; ", words) : "no chain to a known authority";
    }

    private static string Names(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 shown)
        {
            return certificate?.Subject ?? "none";
        }

        var names = shown.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).Take(5).ToArray();
        return names.Length > 0 ? string.Join(", ", names) : shown.Subject;
    }
}
