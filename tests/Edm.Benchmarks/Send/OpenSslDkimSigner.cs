using System.Security.Cryptography;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Security;

namespace Edm.Benchmarks.Send;

/// <summary>MimeKit's DKIM with RSA by OpenSSL, as a good programmer does it after having measured: as shipped it signs in managed code and takes ten times as long.</summary>
internal sealed class OpenSslDkimSigner : DkimSigner, IDisposable
{
    private static readonly HeaderId[] Signed = [HeaderId.From, HeaderId.To, HeaderId.Subject, HeaderId.Date, HeaderId.MessageId, HeaderId.MimeVersion, HeaderId.ContentType];

    private readonly RSA rsa = RSA.Create();

    /// <param name="pem">PKCS #8.</param>
    public OpenSslDkimSigner(string pem, string domain)
        : base(Key(pem), domain, "edm", DkimSignatureAlgorithm.RsaSha256)
    {
        rsa.ImportFromPem(pem);
        HeaderCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed;
        BodyCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed;
    }

    public void SignMail(MimeMessage message)
    {
        message.Prepare(EncodingConstraint.SevenBit);
        Sign(message, Signed);
    }

    public void Dispose() => rsa.Dispose();

    protected override ISigner CreateSigningContext() => new Context(rsa);

    private static RsaPrivateCrtKeyParameters Key(string pem)
    {
        var fields = PemEncoding.Find(pem);
        return (RsaPrivateCrtKeyParameters)PrivateKeyFactory.CreateKey(Convert.FromBase64String(pem[fields.Base64Data]));
    }

    private sealed class Context(RSA rsa) : ISigner
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public string AlgorithmName => "RSA";

        public void Init(bool forSigning, ICipherParameters parameters)
        {
        }

        public void Update(byte input) => hash.AppendData([input]);

        public void BlockUpdate(byte[] input, int inOff, int inLen) => hash.AppendData(input, inOff, inLen);

        public void BlockUpdate(ReadOnlySpan<byte> input) => hash.AppendData(input);

        public int GetMaxSignatureSize() => rsa.KeySize / 8;

        public byte[] GenerateSignature() => rsa.SignHash(hash.GetHashAndReset(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        public bool VerifySignature(byte[] signature) => throw new NotSupportedException("It only signs.");

        public void Reset() => _ = hash.GetHashAndReset();
    }
}
