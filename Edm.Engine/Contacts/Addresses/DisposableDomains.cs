namespace Edm.Engine.Contacts.Addresses;

/// <summary>Domains of mailboxes that are thrown away after minutes. A list of others' making, so it can only hint: nothing is refused for it.</summary>
internal static class DisposableDomains
{
    private static readonly Lazy<HashSet<string>> All = new(() => TableResource.Lines("disposable-domains.txt").ToHashSet(StringComparer.Ordinal));

    /// <param name="domain">In the form of <see cref="Mailbox.Domain"/>. A subdomain of a listed one counts, as such services take mail for all of theirs.</param>
    public static bool Contains(string domain)
    {
        var listed = All.Value.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var rest = domain.AsSpan(); ;)
        {
            if (listed.Contains(rest))
            {
                return true;
            }

            var dot = rest.IndexOf('.');
            if (dot < 0)
            {
                return false;
            }

            rest = rest[(dot + 1)..];
        }
    }
}
