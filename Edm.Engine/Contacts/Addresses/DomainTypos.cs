using System.Collections.Frozen;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// Which common domain was meant by one that looks like a slip of the hand. A hint for a person, never applied. It rather says nothing than doubt a real domain: names
/// shorter than five letters have too many real neighbours, a first letter is rarely missed, and an ending that exists is only doubted where a provider has none like it.
/// </summary>
internal static class DomainTypos
{
    private const int ShortestName = 5;

    /// <summary>From this length on two slips are still far from every other word.</summary>
    private const int LongName = 8;

    /// <summary>Endings that exist, and that a provider's name has by mistake only.</summary>
    private static readonly FrozenSet<string> MissedEndings = FrozenSet.Create(StringComparer.Ordinal, "co", "cm", "om", "ne", "bom", "comm", "com.com", "cc", "vc", "coach", "community", "cam", "org", "net");

    /// <summary>Nobody's own domain ends so: com, net and org with a slip. What is a top-level domain is never one.</summary>
    private static readonly string[] Endings = ["com", "net", "org", "edu", "info"];

    /// <summary>Real domains of others that are a slip away from a common one.</summary>
    private static readonly FrozenSet<string> Others = FrozenSet.Create(
        StringComparer.Ordinal,
        "gail.com", "gmall.com", "gmmail.com", "gomail.com", "gmail.ru", "hotelmail.com", "homail.net", "yahoo.net", "yaho.de", "outlook.net", "icloud.net", "oulook.de", "orange.com", "orange.es", "shaw.com",
        "verizon.com", "comcast.com", "charter.com", "rogers.ca", "terra.de", "globe.com", "planet.com", "proton.com", "proton.ch", "freenet.com", "libero.com", "interia.com", "yandex.net",
        "email.it", "outlock.com", "outlooks.com", "walla.com", "wall.com", "wallas.com", "vodafone.com", "vodafone.co.uk", "virginmedia.co.uk", "zohomail.com");

    /// <summary>Slips that are further away than the distance sees, and that come every day.</summary>
    private static readonly FrozenDictionary<string, string> Known = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["icould"] = "icloud",
        ["iclould"] = "icloud",
        ["icluod"] = "icloud",
        ["hotmial"] = "hotmail",
        ["htmail"] = "hotmail",
        ["hotmaii"] = "hotmail",
        ["otmail"] = "hotmail",
        ["ahoo"] = "yahoo",
        ["uahoo"] = "yahoo",
        ["tahoo"] = "yahoo",
        ["utlook"] = "outlook",
        ["putlook"] = "outlook",
        ["iutlook"] = "outlook",
        ["cloud"] = "",
        ["cmail"] = "",
        ["gemail"] = "gmail",
        ["mgail"] = "gmail",
        ["gmailcom"] = "gmail",
        ["jotmail"] = "hotmail",
        ["hotmailcom"] = "hotmail",
        ["yahoocom"] = "yahoo",
        ["outlookcom"] = "outlook",
        ["icloudcom"] = "icloud",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <param name="domain">In ASCII and lower case; need not be a valid one.</param>
    /// <returns>Null when nothing else seems to be meant.</returns>
    public static string? Meant(string domain)
    {
        if (CommonDomains.Contains(domain) || Others.Contains(domain))
        {
            return null;
        }

        var dot = domain.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            return Name(domain, "com") is { } alone && (alone.Provider.Name.Length >= ShortestName) ? $"{alone.Provider.Name}.{alone.Provider.Endings[0]}" : null;
        }

        var ending = domain[(dot + 1)..];
        return Name(domain[..dot], ending) is { } near ? $"{near.Provider.Name}.{near.Ending}" : Ending(domain);
    }

    /// <summary>The provider whose name this is or nearly is, with its ending that was meant.</summary>
    private static ((string Name, string[] Endings) Provider, string Ending)? Name(string name, string ending)
    {
        if (Known.TryGetValue(name, out var known))
        {
            return known.Length == 0 ? null : Of(Array.Find(CommonDomains.Providers, p => p.Name == known), ending, isNameRight: false);
        }

        foreach (var provider in CommonDomains.Providers)
        {
            if (provider.Name == name)
            {
                return Of(provider, ending, isNameRight: true);
            }
        }

        for (var slips = 1; slips <= 2; slips++)
        {
            foreach (var provider in CommonDomains.Providers)
            {
                var bound = provider.Name.Length < ShortestName ? 0 : provider.Name.Length < LongName ? 1 : 2;
                if (slips <= bound && name.Length > 1 && name[0] == provider.Name[0] && TypoDistance.Of(name, provider.Name, slips) == slips
                    && Of(provider, ending, isNameRight: false) is { } near)
                {
                    return near;
                }
            }
        }

        return null;
    }

    private static ((string Name, string[] Endings) Provider, string Ending)? Of((string Name, string[] Endings) provider, string ending, bool isNameRight)
    {
        // A right name with a wrong ending, or a wrong name with an ending that the provider has. For a wrong name in a country of its own there is always someone.
        if (Array.IndexOf(provider.Endings, ending) >= 0)
        {
            return isNameRight ? null : (provider, ending);
        }

        var exists = TopLevelDomains.Contains(ending.AsSpan(ending.LastIndexOf('.') + 1));
        if (exists && !(MissedEndings.Contains(ending) && provider.Endings[0] == "com" && provider.Name.Length >= ShortestName && (isNameRight || ending is not ("org" or "net"))))
        {
            return null;
        }

        foreach (var right in provider.Endings)
        {
            if (TypoDistance.Of(ending, right, 1) == 1)
            {
                return (provider, right);
            }
        }

        return exists ? (provider, "com") : null;
    }

    /// <summary>An ending that does not exist and is a slip away from one of the largest.</summary>
    private static string? Ending(string domain)
    {
        var dot = domain.LastIndexOf('.');
        var last = domain.AsSpan(dot + 1);
        if (last.Length is < 3 or > 5 || TopLevelDomains.Contains(last))
        {
            return null;
        }

        foreach (var right in Endings)
        {
            if (TypoDistance.Of(last, right, 1) == 1)
            {
                return $"{domain[..(dot + 1)]}{right}";
            }
        }

        return null;
    }
}
