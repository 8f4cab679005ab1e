using Edm.Contracts;

namespace Edm.Engine.Tests.Tags;

/// <summary>What tags are without any cleverness: a set of pairs, and the list of what was done.</summary>
internal sealed class PlainTags
{
    public Dictionary<long, string> Names { get; } = [];

    public HashSet<(long Tag, int Contact)> Pairs { get; } = [];

    public HashSet<int> Live { get; } = [];

    public List<PlainOperation> Operations { get; } = [];

    public void Do(PlainOperation operation)
    {
        foreach (var (tag, (_, after)) in operation.Names)
        {
            if (after is null)
            {
                Names.Remove(tag);
            }
            else
            {
                Names[tag] = after;
            }
        }

        Pairs.ExceptWith(operation.Removed);
        Pairs.UnionWith(operation.Added.Where(pair => Live.Contains(pair.Contact)));
        Operations.Add(operation);
    }

    public void Delete(int contact)
    {
        Live.Remove(contact);
        Pairs.RemoveWhere(pair => pair.Contact == contact);
    }

    /// <summary>Whether something newer that is in effect stands against taking it back, or it is taken back already.</summary>
    public bool Contradicts(PlainOperation operation)
    {
        if (operation.UndoneBy is not null)
        {
            return true;
        }

        var pairs = operation.Added.Concat(operation.Removed).Where(pair => Live.Contains(pair.Contact)).ToHashSet();
        var made = operation.Names.Where(name => name.Value.Before is null).Select(name => name.Key).ToHashSet();
        var touched = pairs.Select(pair => pair.Tag).Concat(operation.Added.Concat(operation.Removed).Select(pair => pair.Tag)).Concat(operation.Names.Keys).ToHashSet();
        foreach (var later in Operations.Where(later => later.Id > operation.Id && later.UndoneBy is null && !(later.Undoes > operation.Id)))
        {
            var theirs = later.Added.Concat(later.Removed).ToArray();
            if (theirs.Any(pairs.Contains) || theirs.Any(pair => made.Contains(pair.Tag)))
            {
                return true;
            }

            foreach (var (tag, (before, after)) in later.Names.Where(name => touched.Contains(name.Key)))
            {
                if (before is null || after is null || operation.Names.ContainsKey(tag))
                {
                    return true;
                }
            }
        }

        return operation.Names.Any(name => name.Value.Before is { } back && Names.Any(other => other.Key != name.Key && Same(other.Value, back)));
    }

    public PlainOperation Reverse(PlainOperation operation, long id)
    {
        operation.UndoneBy = id;
        if (operation.Undoes is { } first)
        {
            Operations.Single(one => one.Id == first).UndoneBy = null;
        }

        return new PlainOperation(
            id,
            [.. operation.Removed.Where(pair => Live.Contains(pair.Contact))],
            [.. operation.Added.Where(pair => Live.Contains(pair.Contact))],
            operation.Names.ToDictionary(name => name.Key, name => (name.Value.After, name.Value.Before)))
        {
            Undoes = operation.Id,
        };
    }

    public static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}

internal sealed record PlainOperation(
    long Id, IReadOnlyCollection<(long Tag, int Contact)> Added, IReadOnlyCollection<(long Tag, int Contact)> Removed,
    IReadOnlyDictionary<long, (string? Before, string? After)> Names)
{
    public long? Undoes { get; init; }

    public long? UndoneBy { get; set; }
}
