namespace Edm.Engine.Contacts.Addresses;

/// <summary>The top-level domains that exist, in ASCII. New ones come every few years, so nothing with a dot is ever refused for not being here.</summary>
internal static class TopLevelDomains
{
    private static readonly Lazy<HashSet<string>> All = new(() => TableResource.Lines("top-level-domains.txt").ToHashSet(StringComparer.Ordinal));

    public static bool Contains(ReadOnlySpan<char> label) => All.Value.GetAlternateLookup<ReadOnlySpan<char>>().Contains(label);
}
