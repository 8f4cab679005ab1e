using System.Globalization;

namespace Edm.Engine.Services.Smtp;

/// <summary>What a server offers in its reply to EHLO (RFC 5321, 4.1.1.1).</summary>
internal sealed record Offers
{
    /// <summary>After HELO: nothing.</summary>
    public static readonly Offers Nothing = new();

    public bool StartTls { get; private init; }

    /// <summary>RFC 2920.</summary>
    public bool Pipelining { get; private init; }

    /// <summary>RFC 6152.</summary>
    public bool EightBitMime { get; private init; }

    /// <summary>RFC 6531.</summary>
    public bool SmtpUtf8 { get; private init; }

    /// <summary>RFC 1870: MAIL may say how large the mail is.</summary>
    public bool Size { get; private init; }

    /// <summary>In octets; 0: the server names no limit.</summary>
    public long MaxSize { get; private init; }

    /// <summary>SASL mechanisms in upper case.</summary>
    public IReadOnlySet<string> Logins { get; private init; } = new HashSet<string>();

    /// <param name="words">The lines of the reply; the first is the server's name.</param>
    public static Offers Read(string words)
    {
        var offers = new Offers();
        foreach (var line in words.Split('\n').Skip(1))
        {
            var parts = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            offers = parts is [] ? offers : parts[0].ToUpperInvariant() switch
            {
                "STARTTLS" => offers with { StartTls = true },
                "PIPELINING" => offers with { Pipelining = true },
                "8BITMIME" => offers with { EightBitMime = true },
                "SMTPUTF8" => offers with { SmtpUtf8 = true },
                "SIZE" => offers with { Size = true, MaxSize = parts.Length > 1 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : 0 },
                "AUTH" => offers with { Logins = With(offers.Logins, parts.Skip(1)) },

                // The form of before RFC 2554, which some servers still have beside the right one.
                { } old when old.StartsWith("AUTH=", StringComparison.Ordinal) => offers with { Logins = With(offers.Logins, [old[5..], .. parts.Skip(1)]) },
                _ => offers,
            };
        }

        return offers;
    }

    private static HashSet<string> With(IEnumerable<string> known, IEnumerable<string> more) => [.. known, .. more.Select(name => name.ToUpperInvariant())];
}
