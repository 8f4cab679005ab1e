using Edm.Contracts;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Services.Dkim;

/// <summary>What a service may sign with. Every refusal names the field as the API writes it, and says what is expected.</summary>
internal static class DkimChecks
{
    private const int MaxLabel = 63;

    /// <summary>Leaves room for the domain in the 253 characters of the record's name.</summary>
    private const int MaxSelector = 100;

    /// <exception cref="FieldException">It is no selector (RFC 6376, 3.1: labels of a domain name, joined by dots).</exception>
    public static string Selector(string? selector)
    {
        var isOne = selector is { Length: > 0 and <= MaxSelector }
            && selector.Split('.').All(label => label.Length is > 0 and <= MaxLabel && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-') && label[0] != '-' && label[^1] != '-');
        return isOne ? selector! : throw new FieldException("selector", "Expected letters, digits and hyphens, such as edm or mail-2026.");
    }

    /// <exception cref="FieldException">It can't sign.</exception>
    public static DkimKey Key(DkimDraft draft)
    {
        if (draft.PrivateKey is null)
        {
            return DkimKey.Generate(draft.Algorithm);
        }

        try
        {
            return DkimKey.FromPem(draft.PrivateKey);
        }
        catch (FormatException fault)
        {
            throw new FieldException("privateKey", fault.Message);
        }
    }

    /// <param name="domain">Null: the sender's.</param>
    /// <returns>In ASCII and lower case.</returns>
    /// <exception cref="FieldException">It is no domain, or a signature by it says nothing about this sender.</exception>
    public static string Domain(string? domain, string senderAddress)
    {
        if (!Envelope.TryParse(senderAddress, out var sender))
        {
            throw new FieldException("domain", "The sender address of the service has no domain to sign for.");
        }

        var own = sender.Domain.ToString().ToLowerInvariant();
        if (domain is null)
        {
            return own;
        }

        if (!Envelope.TryParse($"x@{domain}", out var parsed) || !parsed.Domain.Contains('.') || parsed.Domain.StartsWith('['))
        {
            throw new FieldException("domain", "Expected a domain name, such as example.com.");
        }

        var signing = parsed.Domain.ToString().ToLowerInvariant();
        return IsAligned(signing, senderAddress)
            ? signing
            : throw new FieldException(
                "domain", $"The service sends as @{own}, and receivers ignore a signature of {signing} for that (DMARC alignment). Expected {own} or a domain above or below it.");
    }

    /// <summary>Whether a signature of the domain counts for the sender (RFC 7489, 3.1.1, relaxed): one is the other, or stands above it.</summary>
    public static bool IsAligned(string domain, string senderAddress) =>
        Envelope.TryParse(senderAddress, out var sender) && (IsWithin(sender.Domain, domain) || IsWithin(domain, sender.Domain));

    private static bool IsWithin(ReadOnlySpan<char> inner, ReadOnlySpan<char> outer) =>
        inner.EndsWith(outer, StringComparison.OrdinalIgnoreCase) && (inner.Length == outer.Length || inner[inner.Length - outer.Length - 1] == '.');
}
