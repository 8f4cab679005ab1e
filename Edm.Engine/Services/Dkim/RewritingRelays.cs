namespace Edm.Engine.Services.Dkim;

/// <summary>
/// Mail services that write Date and Message-ID anew, whatever we sent: a signature over these two would not survive them. Amazon SES says so of itself
/// ("Manual DKIM signing in Amazon SES").
/// </summary>
internal static class RewritingRelays
{
    private static readonly string[] Domains = ["amazonaws.com", "amazonaws.com.cn"];

    public static bool Contains(string? host) =>
        host is not null && Array.Exists(Domains, domain => host.EndsWith(domain, StringComparison.OrdinalIgnoreCase) && (host.Length == domain.Length || host[^(domain.Length + 1)] == '.'));
}
