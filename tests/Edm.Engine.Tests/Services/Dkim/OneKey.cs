using Edm.Engine.Services.Dkim;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Xunit;

namespace Edm.Engine.Tests.Services.Dkim;

/// <summary>A DNS of one record: the key of <c>edm._domainkey.brand.example</c>.</summary>
internal sealed class OneKey(DkimKey key) : DkimPublicKeyLocatorBase
{
    public override AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
    {
        Assert.Equal(("brand.example", "edm"), (domain, selector));
        return GetPublicKey(key.Record);
    }

    public override Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
        Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));
}
