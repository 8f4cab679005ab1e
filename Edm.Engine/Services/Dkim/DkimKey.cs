using System.Collections.Concurrent;
using System.Security.Cryptography;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math.EC.Rfc8032;
using Org.BouncyCastle.Pkcs;
using Org.BouncyCastle.Security;

namespace Edm.Engine.Services.Dkim;

public enum DkimAlgorithm
{
    /// <summary>rsa-sha256 (RFC 6376, 3.3.3): every receiver verifies it.</summary>
    Rsa,

    /// <summary>ed25519-sha256 (RFC 8463): small and fast, and not every receiver verifies it yet.</summary>
    Ed25519,
}

/// <summary>A private key that signs mails; thread-safe.</summary>
public abstract class DkimKey
{
    private const string Pkcs8 = "PRIVATE KEY";
    private const string Pkcs1 = "RSA PRIVATE KEY";

    /// <summary>Longest text that is looked at; RSA of 4,096 bits is 3,300 characters.</summary>
    public const int MaxPem = 16 * 1024;

    public abstract DkimAlgorithm Algorithm { get; }

    /// <summary>What <c>p=</c> of the DNS record holds, in Base64.</summary>
    public abstract string PublicKey { get; }

    /// <summary>The private key, PKCS #8 in PEM.</summary>
    public abstract string Pem { get; }

    /// <summary>The TXT record that publishes the key (RFC 6376, 3.6.1).</summary>
    public string Record => $"v=DKIM1; k={NameOf(Algorithm)}; p={PublicKey}";

    public static string NameOf(DkimAlgorithm algorithm) => algorithm switch
    {
        DkimAlgorithm.Rsa => "rsa",
        DkimAlgorithm.Ed25519 => "ed25519",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, null),
    };

    /// <summary>Signs a SHA-256 hash: by PKCS #1 v1.5 with RSA, purely with Ed25519 (RFC 8463, 3).</summary>
    public abstract byte[] Sign(ReadOnlySpan<byte> hash);

    public static DkimKey Generate(DkimAlgorithm algorithm)
    {
        if (algorithm == DkimAlgorithm.Ed25519)
        {
            return new Ed25519Key(new Ed25519PrivateKeyParameters(RandomNumberGenerator.GetBytes(Ed25519.SecretKeySize)));
        }

        // 2,048 bits: what fits into every DNS answer, and what receivers ask for (RFC 8301, 3.2).
        using var rsa = RSA.Create(2048);
        return new RsaKey(rsa.ExportParameters(includePrivateParameters: true));
    }

    /// <param name="pem">PKCS #8 (<c>BEGIN PRIVATE KEY</c>) or PKCS #1 (<c>BEGIN RSA PRIVATE KEY</c>).</param>
    /// <exception cref="FormatException">In words for the person who gave it.</exception>
    public static DkimKey FromPem(string pem)
    {
        ArgumentNullException.ThrowIfNull(pem);
        if (pem.Length > MaxPem || !PemEncoding.TryFind(pem, out var fields))
        {
            throw new FormatException("That is no key in PEM. Expected text that begins with -----BEGIN PRIVATE KEY-----.");
        }

        var label = pem[fields.Label];
        try
        {
            return label switch
            {
                Pkcs1 => Rsa(pem),
                Pkcs8 => PrivateKeyFactory.CreateKey(Convert.FromBase64String(pem[fields.Base64Data])) switch
                {
                    RsaPrivateCrtKeyParameters => Rsa(pem),
                    Ed25519PrivateKeyParameters key => new Ed25519Key(key),
                    _ => throw new FormatException("That key is neither RSA nor Ed25519, which DKIM knows alone."),
                },
                "ENCRYPTED PRIVATE KEY" => throw new FormatException("That key is locked by a password. Unlock it first, such as with: openssl pkey -in key.pem"),
                _ when label.EndsWith("PUBLIC KEY", StringComparison.Ordinal) => throw new FormatException("That is the public key, which belongs into DNS. Signing needs the private one."),
                _ => throw new FormatException($"That is a {(label.Length <= 40 ? label : "thing")} and no private key."),
            };
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException or IOException or InvalidCastException or InvalidOperationException or SecurityUtilityException)
        {
            throw new FormatException("That key is damaged: it can't be read.", exception);
        }
    }

    private static RsaKey Rsa(string pem)
    {
        using var rsa = RSA.Create();
        rsa.ImportFromPem(pem);

        // RFC 8301, 3.2: nobody verifies less than 1,024 bits. Above 4,096 a signature costs milliseconds and its key fits into no DNS answer.
        return rsa.KeySize is >= 1024 and <= 4096
            ? new RsaKey(rsa.ExportParameters(includePrivateParameters: true))
            : throw new FormatException($"That RSA key has {rsa.KeySize} bits. Expected 1024 to 4096, best 2048.");
    }

    /// <summary>By OpenSSL, a tenth of the time of a managed implementation. An RSA object is used by one thread at a time.</summary>
    private sealed class RsaKey : DkimKey
    {
        private readonly RSAParameters _parameters;
        private readonly ConcurrentQueue<RSA> _idle = [];

        public RsaKey(RSAParameters parameters)
        {
            _parameters = parameters;
            using var rsa = RSA.Create(parameters);
            PublicKey = Convert.ToBase64String(rsa.ExportSubjectPublicKeyInfo());
            Pem = rsa.ExportPkcs8PrivateKeyPem();
        }

        public override DkimAlgorithm Algorithm => DkimAlgorithm.Rsa;

        public override string PublicKey { get; }

        public override string Pem { get; }

        public override byte[] Sign(ReadOnlySpan<byte> hash)
        {
            if (!_idle.TryDequeue(out var rsa))
            {
                rsa = RSA.Create(_parameters);
            }

            var signature = rsa.SignHash(hash.ToArray(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            if (_idle.Count < Environment.ProcessorCount)
            {
                // More than one a core can't be at work.
                _idle.Enqueue(rsa);
            }
            else
            {
                rsa.Dispose();
            }

            return signature;
        }
    }

    /// <summary>By BouncyCastle (MIT licence), which MimeKit brings along; .NET has no Ed25519 of its own.</summary>
    private sealed class Ed25519Key(Ed25519PrivateKeyParameters key) : DkimKey
    {
        private readonly byte[] _secret = key.GetEncoded();
        private readonly byte[] _public = key.GeneratePublicKey().GetEncoded();

        public override DkimAlgorithm Algorithm => DkimAlgorithm.Ed25519;

        public override string PublicKey => Convert.ToBase64String(_public);

        public override string Pem => PemEncoding.WriteString(Pkcs8, PrivateKeyInfoFactory.CreatePrivateKeyInfo(key).GetDerEncoded());

        public override byte[] Sign(ReadOnlySpan<byte> hash)
        {
            var signature = new byte[Ed25519.SignatureSize];
            var message = hash.ToArray();
            Ed25519.Sign(_secret, 0, _public, 0, message, 0, message.Length, signature, 0);
            return signature;
        }
    }
}
