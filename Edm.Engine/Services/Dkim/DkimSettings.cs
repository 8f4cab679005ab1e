namespace Edm.Engine.Services.Dkim;

/// <summary>How a service signs its mails. The key is in clear here and nowhere else: never log this record.</summary>
/// <param name="Domain">The signing domain, <c>d=</c>, in ASCII.</param>
/// <param name="Selector">Names the key under that domain, <c>s=</c>.</param>
/// <param name="PrivateKey">In PEM.</param>
public sealed record DkimSettings(string Domain, string Selector, string PrivateKey)
{
    private DkimSigner? _signer;

    /// <summary>Read once, with the first mail: most services that are loaded do not send just then.</summary>
    internal DkimSigner Signer => _signer ??= new DkimSigner(Domain, Selector, DkimKey.FromPem(PrivateKey));

    // A record prints its members; this one must never print its secret.
    public override string ToString() => $"DKIM of {Domain} by {Selector}";

    public bool Equals(DkimSettings? other) => other is not null && (Domain, Selector, PrivateKey) == (other.Domain, other.Selector, other.PrivateKey);

    public override int GetHashCode() => HashCode.Combine(Domain, Selector);
}
