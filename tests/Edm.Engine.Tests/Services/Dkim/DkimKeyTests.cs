using System.Security.Cryptography;
using Edm.Engine.Services.Dkim;
using Xunit;

namespace Edm.Engine.Tests.Services.Dkim;

public sealed class DkimKeyTests
{
    [Theory]
    [InlineData(DkimAlgorithm.Rsa, "v=DKIM1; k=rsa; p=MIIBIjANBgkq")]
    [InlineData(DkimAlgorithm.Ed25519, "v=DKIM1; k=ed25519; p=")]
    public void A_key_that_is_made_comes_back_from_its_own_text(DkimAlgorithm algorithm, string record)
    {
        var made = DkimKey.Generate(algorithm);
        var read = DkimKey.FromPem(made.Pem);

        Assert.StartsWith(record, made.Record, StringComparison.Ordinal);
        Assert.Equal((algorithm, made.Record, made.Pem), (read.Algorithm, read.Record, read.Pem));
        Assert.NotEqual(made.Pem, DkimKey.Generate(algorithm).Pem);
    }

    [Fact]
    public void Both_forms_of_an_RSA_key_are_read()
    {
        using var rsa = RSA.Create(2048);

        Assert.Equal(DkimKey.FromPem(rsa.ExportPkcs8PrivateKeyPem()).Record, DkimKey.FromPem("a line before\n" + rsa.ExportRSAPrivateKeyPem()).Record);
    }

    [Fact]
    public void The_Ed25519_key_of_RFC_8463_has_the_public_key_that_stands_there()
    {
        // Appendix A.2: the seed behind the header of PKCS #8 (RFC 8410).
        var der = Convert.ToBase64String([.. Convert.FromHexString("302E020100300506032B657004220420"), .. Convert.FromBase64String("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")]);

        Assert.Equal("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", DkimKey.FromPem($"-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----").PublicKey);
    }

    [Theory]
    [InlineData("", "no key in PEM")]
    [InlineData("secret", "no key in PEM")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "damaged")]
    [InlineData("-----BEGIN RSA PRIVATE KEY-----\nMAA=\n-----END RSA PRIVATE KEY-----", "damaged")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "the public key")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "locked by a password")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no private key")]
    public void What_is_no_key_is_refused_in_words(string text, string words) =>
        Assert.Contains(words, Assert.Throws<FormatException>(() => DkimKey.FromPem(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_key_of_another_kind_or_size_is_refused_in_words()
    {
        using var elliptic = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var small = RSA.Create(512);

        Assert.Contains("neither RSA nor Ed25519", Assert.Throws<FormatException>(() => DkimKey.FromPem(elliptic.ExportPkcs8PrivateKeyPem())).Message, StringComparison.Ordinal);
        Assert.Contains("has 512 bits", Assert.Throws<FormatException>(() => DkimKey.FromPem(small.ExportPkcs8PrivateKeyPem())).Message, StringComparison.Ordinal);
    }
}
