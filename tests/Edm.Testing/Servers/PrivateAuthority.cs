using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Edm.Testing.Servers;

/// <summary>A certificate authority of a test's own, that nobody trusts unless told to.</summary>
public sealed class PrivateAuthority : IDisposable
{
    private static readonly DateTimeOffset Begin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 certificate;

    public PrivateAuthority()
        : this(issuer: null)
    {
    }

    private PrivateAuthority(X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(issuer is null ? "CN=Test Root" : "CN=Test Intermediate", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        certificate = issuer is null ? request.CreateSelfSigned(Begin, End) : Signed(request, issuer, End, key);
    }

    /// <summary>In PEM, without its key.</summary>
    public string Pem => certificate.ExportCertificatePem();

    /// <summary>Without its key.</summary>
    public X509Certificate2 Public => X509CertificateLoader.LoadCertificate(certificate.RawData);

    /// <summary>An authority that this one vouches for.</summary>
    public PrivateAuthority Intermediate() => new(certificate);

    /// <summary>A server's certificate.</summary>
    /// <param name="name">A host name or an IP address.</param>
    /// <param name="until">Null: valid for long.</param>
    public X509Certificate2 Issue(string name, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Usable(Signed(ForServer(name, key), certificate, until ?? End, key));
    }

    /// <summary>A server's certificate that vouches for itself.</summary>
    public static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Usable(ForServer(name, key).CreateSelfSigned(Begin, End));
    }

    public void Dispose() => certificate.Dispose();

    private static CertificateRequest ForServer(string name, ECDsa key)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        return new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
    }

    private static X509Certificate2 Signed(CertificateRequest request, X509Certificate2 issuer, DateTimeOffset until, ECDsa key)
    {
        using var bare = request.Create(issuer, Begin, until, RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(key);
    }

    /// <summary>With a key that TLS can use.</summary>
    private static X509Certificate2 Usable(X509Certificate2 made)
    {
        using (made)
        {
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        }
    }
}
