using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Imports.Chunks;

/// <param name="Again">The contact was changed by an earlier chunk of this import already: its history has a line of this import.</param>
/// <param name="Own">The contact was created by this import: that is no history.</param>
internal sealed record ContactUpdate(StoredContact Stored, StagedContact Fields, bool Again, bool Own);

/// <summary>What a chunk does to the contacts.</summary>
internal sealed class ChunkPlan
{
    /// <summary>In the order of the file, which is the order of their ordinals.</summary>
    public List<StagedContact> New { get; } = [];

    public List<ContactUpdate> Updates { get; } = [];

    /// <summary>Contacts that were there, with the row (or the rows, folded) that stands for them.</summary>
    public List<(int Ordinal, StagedContact Row)> Met { get; } = [];

    /// <summary>The chunk's own refused rows and those that the policy refuses, in the order of the file.</summary>
    public List<RefusedRow> Refused { get; } = [];

    public ImportCounts Counts { get; set; }

    /// <summary>Every ordinal of a contact that a row stands for, the new ones from <paramref name="firstNew"/> on.</summary>
    public ContactSet Seen(int firstNew)
    {
        var set = ContactSet.Of(Met.Select(met => met.Ordinal));
        set.AddRange(firstNew, New.Count);
        return set;
    }
}

/// <summary>
/// Decides what a chunk does, from its rows, the contacts that have their addresses, and what the import did before. Pure, and the same wherever chunks
/// begin and end: an address whose rows lie in two chunks ends and counts as if they lay in one.
/// </summary>
internal sealed class ChunkPlanner(ImportOptions options, ImportedContacts imported)
{
    public ContactFold Fold { get; } = new(options.Policy);

    /// <param name="stored">By the address's key; those that are not here are not stored.</param>
    /// <param name="suppressed">Why an address that is not stored may not come back; null when it may.</param>
    /// <param name="isFirst">Whether an address that is not stored comes for the first time. It always does, but in a dry run, which stores none.</param>
    public ChunkPlan Plan(ImportChunk chunk, IReadOnlyDictionary<string, StoredContact> stored, Func<string, string?> suppressed, Func<string, bool> isFirst)
    {
        var plan = new ChunkPlan();
        plan.Refused.AddRange(chunk.Refused);
        var counts = new ImportCounts { Rejected = chunk.Refused.Count };
        foreach (var (key, rows) in chunk.Rows)
        {
            counts += stored.TryGetValue(key, out var contact) ? OfStored(plan, contact, rows) : OfNew(plan, key, rows, suppressed, isFirst);
        }

        plan.Counts = counts;
        if (plan.Refused.Count > chunk.Refused.Count)
        {
            plan.Refused.Sort(static (left, right) => left.Nr.CompareTo(right.Nr));
        }

        return plan;
    }

    /// <summary>Whether the rows of a stored contact give it their tags.</summary>
    public bool GivesTags(StoredContact contact) => options.Policy is ConflictPolicy.Merge or ConflictPolicy.Replace || imported.Created.Contains(contact.Ordinal);

    private ImportCounts OfNew(ChunkPlan plan, string key, RowsOfAddress rows, Func<string, string?> suppressed, Func<string, bool> isFirst)
    {
        if (suppressed(key) is { } reason)
        {
            // Not the address, which may be that of a person who asked to be forgotten.
            plan.Refused.AddRange(rows.All.Select(row => new RefusedRow(row.Contact.Nr, RowProblem.Of(row.Line, "email", "", reason), Original: null)));
            return new ImportCounts { Suppressed = rows.Count };
        }

        if (!isFirst(key))
        {
            return default;
        }

        plan.New.Add(Folded(rows));
        return new ImportCounts { Created = 1 };
    }

    private ImportCounts OfStored(ChunkPlan plan, StoredContact contact, RowsOfAddress rows)
    {
        var row = Folded(rows);
        var seen = imported.Seen.Contains(contact.Ordinal);
        if (imported.Created.Contains(contact.Ordinal))
        {
            var whole = Fold.Rows(contact.Fields, row);
            plan.Met.Add((contact.Ordinal, row));
            if (!Fold.Same(contact.Fields, whole))
            {
                plan.Updates.Add(new ContactUpdate(contact, whole, Again: false, Own: true));
            }

            return default;
        }

        switch (options.Policy)
        {
            case ConflictPolicy.Skip:
                plan.Met.Add((contact.Ordinal, row with { Tags = [] }));
                return seen ? default : new ImportCounts { Unchanged = 1 };
            case ConflictPolicy.Reject:
                plan.Refused.AddRange(rows.All.Select(r => new RefusedRow(r.Contact.Nr, RowProblem.Of(r.Line, "email", r.Contact.Email, "a contact with this address is there already"), r.Original)));
                return new ImportCounts { Rejected = rows.Count };
            case ConflictPolicy.Merge or ConflictPolicy.Replace:
                break;
            default:
                throw new InvalidOperationException($"{options.Policy} is not a policy.");
        }

        plan.Met.Add((contact.Ordinal, row));
        var fresh = Fold.Onto(contact.Fields, row);
        if (Fold.Same(contact.Fields, fresh))
        {
            return seen ? default : new ImportCounts { Unchanged = 1 };
        }

        var again = imported.Changed.Contains(contact.Ordinal);
        plan.Updates.Add(new ContactUpdate(contact, fresh, again, Own: false));
        return again ? default : new ImportCounts { Updated = 1, Unchanged = seen ? -1 : 0 };
    }

    private StagedContact Folded(RowsOfAddress rows)
    {
        var contact = rows.First.Contact;
        foreach (var row in rows.Others ?? [])
        {
            contact = Fold.Rows(contact, row.Contact);
        }

        return contact;
    }
}
