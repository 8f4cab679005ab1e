using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Edm.Engine.Services.Smtp;

/// <summary>Certificates that are trusted beside those of the system: a private authority, or the self-signed certificate of one server.</summary>
public sealed class TrustedAuthorities
{
    /// <summary>Every public authority together is 200 KB.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>TLS server authentication (RFC 5280, 4.2.1.12).</summary>
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2Collection _certificates;

    private TrustedAuthorities(X509Certificate2Collection certificates) => _certificates = certificates;

    /// <param name="path">A file of one or more certificates in PEM.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="InvalidDataException">It holds no certificate, or something that is none.</exception>
    public static TrustedAuthorities Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
        {
            throw new InvalidDataException("It is larger than 1 MiB.");
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(File.ReadAllText(path));
        }
        catch (CryptographicException exception)
        {
            throw new InvalidDataException("It holds a certificate that can't be read.", exception);
        }

        return certificates.Count > 0
            ? new TrustedAuthorities(certificates)
            : throw new InvalidDataException("It holds no certificate in PEM (-----BEGIN CERTIFICATE-----).");
    }

    /// <summary>Whether one of these vouches for the certificate, now.</summary>
    /// <param name="shown">The chain as the system built it: it has what the server sent along.</param>
    /// <param name="faults">What is wrong otherwise.</param>
    public bool VouchFor(X509Certificate2 certificate, X509Chain? shown, out IReadOnlyList<X509ChainStatus> faults)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                ApplicationPolicy = { new Oid(ServerAuthentication) },
            },
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(_certificates);
        chain.ChainPolicy.ExtraStore.AddRange(_certificates);
        if (shown is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(shown.ChainPolicy.ExtraStore);
        }

        var vouched = chain.Build(certificate);
        faults = chain.ChainStatus;
        return vouched;
    }
}
