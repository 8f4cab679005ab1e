using System.Collections.Frozen;

namespace Edm.Engine.Services.Limits;

/// <summary>Whose mail servers take a recipient's mail. The numbers are stored: never change one.</summary>
public enum MailboxProvider
{
    /// <summary>Everybody else, among them companies whose own domain is served by one of the others: only their MX records would tell.</summary>
    Other = 0,
    Gmail = 1,

    /// <summary>Outlook.com, Hotmail, Live, MSN.</summary>
    Outlook = 2,

    /// <summary>Yahoo and AOL, one company with one set of servers since 2018.</summary>
    Yahoo = 3,

    /// <summary>QQ Mail and Foxmail of Tencent.</summary>
    QQ = 4,

    /// <summary>163, 126 and yeah.net.</summary>
    NetEase = 5,
}

/// <summary>Tells a mailbox's provider by its domain.</summary>
public static class MailboxProviders
{
    public const int Count = 6;

    private static readonly FrozenDictionary<string, MailboxProvider> Domains = new Dictionary<string, MailboxProvider>
    {
        ["gmail.com"] = MailboxProvider.Gmail, ["googlemail.com"] = MailboxProvider.Gmail,
        ["msn.com"] = MailboxProvider.Outlook, ["passport.com"] = MailboxProvider.Outlook, ["windowslive.com"] = MailboxProvider.Outlook,
        ["ymail.com"] = MailboxProvider.Yahoo, ["rocketmail.com"] = MailboxProvider.Yahoo, ["myyahoo.com"] = MailboxProvider.Yahoo, ["aim.com"] = MailboxProvider.Yahoo,
        ["verizon.net"] = MailboxProvider.Yahoo,
        ["qq.com"] = MailboxProvider.QQ, ["vip.qq.com"] = MailboxProvider.QQ, ["foxmail.com"] = MailboxProvider.QQ,
        ["163.com"] = MailboxProvider.NetEase, ["vip.163.com"] = MailboxProvider.NetEase, ["126.com"] = MailboxProvider.NetEase, ["vip.126.com"] = MailboxProvider.NetEase,
        ["yeah.net"] = MailboxProvider.NetEase, ["188.com"] = MailboxProvider.NetEase, ["netease.com"] = MailboxProvider.NetEase,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Names that a provider has under the top-level domains of many countries: hotmail.co.uk, yahoo.com.tw.</summary>
    private static readonly FrozenDictionary<string, MailboxProvider> Names = new Dictionary<string, MailboxProvider>
    {
        ["outlook"] = MailboxProvider.Outlook, ["hotmail"] = MailboxProvider.Outlook, ["live"] = MailboxProvider.Outlook,
        ["yahoo"] = MailboxProvider.Yahoo, ["aol"] = MailboxProvider.Yahoo,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, MailboxProvider>.AlternateLookup<ReadOnlySpan<char>> ByDomain = Domains.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenDictionary<string, MailboxProvider>.AlternateLookup<ReadOnlySpan<char>> ByName = Names.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Never throws; <see cref="MailboxProvider.Other"/> for what is no address.</summary>
    public static MailboxProvider Of(ReadOnlySpan<char> address)
    {
        var domain = address[(address.LastIndexOf('@') + 1)..];
        if (ByDomain.TryGetValue(domain, out var provider))
        {
            return provider;
        }

        // The name and one or two labels that are a country's: "hotmail.de", "yahoo.co.jp", not "live.example.com".
        var dot = domain.IndexOf('.');
        return dot > 0 && IsCountry(domain[(dot + 1)..]) && ByName.TryGetValue(domain[..dot], out provider) ? provider : MailboxProvider.Other;
    }

    private static bool IsCountry(ReadOnlySpan<char> ending) => ending switch
    {
        "com" => true,
        { Length: 2 } => true,
        { Length: 5 or 6 } when ending[^3] == '.' => ending[..^3] is "co" or "com",
        _ => false,
    };

    /// <summary>By its stored number; one that only a later version knows counts as others.</summary>
    public static MailboxProvider Numbered(int number) => number is >= 0 and < Count ? (MailboxProvider)number : MailboxProvider.Other;

    /// <summary>As the API writes it.</summary>
    public static string NameOf(MailboxProvider provider) => provider switch
    {
        MailboxProvider.Gmail => "gmail",
        MailboxProvider.Outlook => "outlook",
        MailboxProvider.Yahoo => "yahoo",
        MailboxProvider.QQ => "qq",
        MailboxProvider.NetEase => "163",
        _ => "other",
    };

    /// <summary>Null for a name that is none.</summary>
    public static MailboxProvider? Named(string name) => name switch
    {
        "gmail" => MailboxProvider.Gmail,
        "outlook" => MailboxProvider.Outlook,
        "yahoo" => MailboxProvider.Yahoo,
        "qq" => MailboxProvider.QQ,
        "163" => MailboxProvider.NetEase,
        "other" => MailboxProvider.Other,
        _ => null,
    };
}
