using Edm.Engine.Contacts.Ordinals;

namespace Edm.Engine.Imports.Chunks;

/// <param name="Again">The contact was changed by an earlier chunk of this import already: its history has a line of this import.</param>
/// <param name="Own">The contact was created by this import: that is no history.</param>
internal sealed record ContactUpdate(StoredContact Stored, StagedContact Fields, bool Again, bool Own);

/// <summary>What a chunk does to the contacts.</summary>
internal sealed class ChunkPlan
{
    /// <summary>Rows of the chunk (or several, folded), in the order of the file, which is the order of their ordinals.</summary>
    public List<int> New { get; } = [];

    public List<ContactUpdate> Updates { get; } = [];

    /// <summary>Contacts that were there, and the row of the chunk (or several, folded) whose tags they get; null for none.</summary>
    public List<(int Ordinal, int? Row)> Met { get; } = [];

    /// <summary>The chunk's own refused rows and those that the policy refuses, in the order of the file.</summary>
    public List<RefusedRow> Refused { get; } = [];

    public ImportCounts Counts { get; set; }

    public void Clear()
    {
        New.Clear();
        Updates.Clear();
        Met.Clear();
        Refused.Clear();
        Counts = default;
    }

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
/// begin and end: an address whose rows lie in two chunks ends and counts as if they lay in one. Not thread-safe.
/// </summary>
internal sealed class ChunkPlanner(ImportOptions options, ImportedContacts imported)
{
    private readonly StoredComparison _comparison = new(options.Policy);
    // The list of ten thousand contacts is a large object, of which a collector keeps sixty until it looks for them.
    private readonly ChunkPlan _plan = new();

    public ContactFold Fold { get; } = new(options.Policy);

    /// <param name="stored">Those whose addresses are not here are not stored.</param>
    /// <param name="suppressed">Why an address that is not stored may not come back; null when it may.</param>
    /// <param name="isFirst">Whether an address that is not stored comes for the first time; null where it always does, which is everywhere but in a dry run, which stores none.</param>
    /// <returns>Until the next call.</returns>
    public ChunkPlan Plan(ImportChunk chunk, StoredRows stored, Func<string, string?>? suppressed, Func<string, bool>? isFirst)
    {
        var plan = _plan;
        plan.Clear();
        plan.Refused.AddRange(chunk.Refused);
        var counts = new ImportCounts { Rejected = chunk.Refused.Count };
        // Folding adds rows of its own.
        var count = chunk.Rows.Count;
        for (var row = 0; row < count; row++)
        {
            if (!chunk.Rows[row].IsAgain)
            {
                counts += stored.Find(chunk.Rows, row) is >= 0 and var contact ? OfStored(plan, stored, contact, chunk.Rows, row) : OfNew(plan, chunk.Rows, row, suppressed, isFirst);
            }
        }

        plan.Counts = counts;
        if (plan.Refused.Count > chunk.Refused.Count)
        {
            plan.Refused.Sort(static (left, right) => left.Nr.CompareTo(right.Nr));
        }

        return plan;
    }

    /// <summary>Whether the rows of a stored contact give it their tags.</summary>
    public bool GivesTags(int ordinal) => options.Policy is ConflictPolicy.Merge or ConflictPolicy.Replace || imported.Created.Contains(ordinal);

    private ImportCounts OfNew(ChunkPlan plan, StagedRows rows, int first, Func<string, string?>? suppressed, Func<string, bool>? isFirst)
    {
        if (suppressed?.Invoke(rows.KeyOf(first)) is { } reason)
        {
            // Not the address, which may be that of a person who asked to be forgotten.
            var before = plan.Refused.Count;
            plan.Refused.AddRange(rows.OfAddress(first).Select(row => new RefusedRow(rows[row].Nr, RowProblem.Of(rows[row].Line, "email", "", reason), Original: null)));
            return new ImportCounts { Suppressed = plan.Refused.Count - before };
        }

        if (isFirst?.Invoke(rows.KeyOf(first)) == false)
        {
            return default;
        }

        plan.New.Add(rows[first].Next == 0 ? first : RowOf(rows, first, Folded(rows, first)));
        return new ImportCounts { Created = 1 };
    }

    private ImportCounts OfStored(ChunkPlan plan, StoredRows stored, int at, StagedRows rows, int first)
    {
        var ordinal = stored.OrdinalOf(at);
        var seen = imported.Seen.Contains(ordinal);
        if (imported.Created.Contains(ordinal))
        {
            var (created, again) = (stored.Contact(at), Folded(rows, first));
            var whole = Fold.Rows(created.Fields, again);
            plan.Met.Add((ordinal, RowOf(rows, first, again)));
            if (!Fold.Same(created.Fields, whole))
            {
                plan.Updates.Add(new ContactUpdate(created, whole, Again: false, Own: true));
            }

            return default;
        }

        switch (options.Policy)
        {
            case ConflictPolicy.Skip:
                plan.Met.Add((ordinal, null));
                return seen ? default : new ImportCounts { Unchanged = 1 };
            case ConflictPolicy.Reject:
                var before = plan.Refused.Count;
                plan.Refused.AddRange(rows.OfAddress(first).Select(r => new RefusedRow(
                    rows[r].Nr, RowProblem.Of(rows[r].Line, "email", rows.String(rows[r].Email)!, "a contact with this address is there already"), rows[r].Original)));
                return new ImportCounts { Rejected = plan.Refused.Count - before };
            case ConflictPolicy.Merge or ConflictPolicy.Replace:
                break;
            default:
                throw new InvalidOperationException($"{options.Policy} is not a policy.");
        }

        if (rows[first].Next == 0 && _comparison.AddsNothing(rows, first, stored.Rows, at))
        {
            plan.Met.Add((ordinal, first));
            return seen ? default : new ImportCounts { Unchanged = 1 };
        }

        var (contact, row) = (stored.Contact(at), Folded(rows, first));
        plan.Met.Add((ordinal, RowOf(rows, first, row)));
        var fresh = Fold.Onto(contact.Fields, row);
        if (Fold.Same(contact.Fields, fresh))
        {
            return seen ? default : new ImportCounts { Unchanged = 1 };
        }

        var changed = imported.Changed.Contains(ordinal);
        plan.Updates.Add(new ContactUpdate(contact, fresh, changed, Own: false));
        return changed ? default : new ImportCounts { Updated = 1, Unchanged = seen ? -1 : 0 };
    }

    private static int RowOf(StagedRows rows, int first, StagedContact folded) => rows[first].Next == 0 ? first : rows.AddFolded(folded, rows[first].Hash);

    private StagedContact Folded(StagedRows rows, int first)
    {
        var contact = rows.Contact(first);
        for (var row = rows[first].Next; row != 0; row = rows[row].Next)
        {
            contact = Fold.Rows(contact, rows.Contact(row));
        }

        return contact;
    }
}
