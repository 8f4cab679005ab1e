using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Segments;

/// <param name="Contacts">How many belong to it now; null, with <paramref name="Why"/>, when its filter can't be answered any more, such as when a tag in it was deleted.</param>
public sealed record CountedSegment(Segment Segment, long? Contacts, string? Why);

/// <summary>A user's segments. They are written under the lock of the user's book, as tags are, so that the names in their filters hold when they are stored.</summary>
public sealed class SegmentStore(EdmDatabase database, ContactSelection selection, TimeProvider time)
{
    public const int MaxName = 100;

    /// <summary>Each is counted when the list is looked at.</summary>
    public const int MaxSegments = 500;

    /// <exception cref="FieldException">The name can't be used.</exception>
    /// <exception cref="ContactFilterException">The filter can't be read, or names something that is not there.</exception>
    /// <exception cref="ConflictException">The name is taken, or there are too many.</exception>
    public Task<Segment> CreateAsync(UserId user, string name, string filter, CancellationToken cancellation = default) => database.WriteAsync(
        async connection =>
        {
            await ContactBook.OpenAsync(connection, user, cancellation);
            name = Checked(name);
            await RefuseTakenAsync(connection, user, name, null, cancellation);
            if (await connection.GetTable<SegmentRow>().CountAsync(s => s.UserId == user, cancellation) >= MaxSegments)
            {
                throw new ConflictException($"There are {MaxSegments} segments, and that is the most. Delete one first.");
            }

            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var row = new SegmentRow { UserId = user, Name = name, NameKey = NameKey.Of(name), Filter = filter, CreatedAt = now, UpdatedAt = now };
            row = row with { Id = new SegmentId(await connection.InsertWithInt64IdentityAsync(row, token: cancellation)) };

            // With its row in place, a filter that mentions its own segment is found out here.
            await BindAsync(connection, user, row, cancellation);
            return row.ToSegment();
        },
        cancellation);

    /// <returns>Null when there is none.</returns>
    public Task<Segment?> GetAsync(UserId user, SegmentId id, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await FindAsync(connection, user, id, cancellation))?.ToSegment(), cancellation);

    /// <summary>All of them by name, counted at one moment.</summary>
    public Task<IReadOnlyList<CountedSegment>> ListAsync(UserId user, CancellationToken cancellation = default) => database.RunAsync<IReadOnlyList<CountedSegment>>(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var rows = await connection.GetTable<SegmentRow>().Where(s => s.UserId == user).OrderBy(s => s.NameKey).ToListAsync(cancellation);
            var run = await selection.OpenAsync(connection, user, cancellation);
            var counted = new List<CountedSegment>(rows.Count);
            foreach (var row in rows)
            {
                try
                {
                    var filter = await selection.BindAsync(connection, user, ContactFilter.Parse(row.Filter), cancellation);
                    counted.Add(new CountedSegment(row.ToSegment(), (await run.EvaluateAsync(filter, cancellation)).Count, null));
                }
                catch (ContactFilterException exception)
                {
                    counted.Add(new CountedSegment(row.ToSegment(), null, exception.Message));
                }
            }

            return counted;
        },
        cancellation);

    /// <summary>Filters that mention it follow its new name.</summary>
    /// <param name="name">Null: as it is.</param>
    /// <param name="filter">Null: as it is.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="FieldException">The name can't be used.</exception>
    /// <exception cref="ContactFilterException">The filter can't be read, names something that is not there, or comes back to this segment.</exception>
    /// <exception cref="ConflictException">The name is taken.</exception>
    public Task<Segment?> ChangeAsync(UserId user, SegmentId id, string? name, string? filter, CancellationToken cancellation = default) => database.WriteAsync(
        async connection =>
        {
            await ContactBook.OpenAsync(connection, user, cancellation);
            if (await FindAsync(connection, user, id, cancellation) is not { } before)
            {
                return null;
            }

            var after = before with { Name = name is null ? before.Name : Checked(name), Filter = filter ?? before.Filter, UpdatedAt = time.GetUtcNow().ToUnixTimeMilliseconds() };
            after = after with { NameKey = NameKey.Of(after.Name) };
            await RefuseTakenAsync(connection, user, after.Name, id, cancellation);
            await connection.UpdateAsync(after, token: cancellation);
            if (after.Name != before.Name)
            {
                await FilterTexts.RenameAsync(connection, user, FilterNameKind.Segment, before.Name, after.Name, cancellation);
            }

            if (filter is not null)
            {
                await BindAsync(connection, user, after, cancellation);
            }

            return after.ToSegment();
        },
        cancellation);

    /// <returns>False when there is none.</returns>
    /// <exception cref="ConflictException">Another segment or the draft of a campaign mentions it.</exception>
    public Task<bool> DeleteAsync(UserId user, SegmentId id, CancellationToken cancellation = default) => database.WriteAsync(
        async connection =>
        {
            await ContactBook.OpenAsync(connection, user, cancellation);
            if (await FindAsync(connection, user, id, cancellation) is not { } segment)
            {
                return false;
            }

            var uses = (await FilterTexts.UsesAsync(connection, user, FilterNameKind.Segment, segment.Name, cancellation)).Select(use => use.Owner).ToArray();
            if (uses.Length > 0)
            {
                throw new ConflictException(
                    $"The segment '{segment.Name}' is mentioned by {string.Join(", ", uses.Take(5))}{(uses.Length > 5 ? $" and {uses.Length - 5} more" : "")}. Change their filters first.");
            }

            await connection.GetTable<SegmentRow>().DeleteAsync(s => s.Id == id, cancellation);
            return true;
        },
        cancellation);

    private static async Task<SegmentRow?> FindAsync(EdmConnection connection, UserId user, SegmentId id, CancellationToken cancellation) =>
        await connection.GetTable<SegmentRow>().SingleOrDefaultAsync(s => s.Id == id && s.UserId == user, cancellation);

    /// <summary>As a part of a filter, so that a segment that comes back to itself is found.</summary>
    private async Task BindAsync(EdmConnection connection, UserId user, SegmentRow row, CancellationToken cancellation)
    {
        // First as it stands, for a position inside of its text.
        await selection.BindAsync(connection, user, ContactFilter.Parse(row.Filter), cancellation);
        await selection.BindAsync(connection, user, ContactFilter.OfSegment(row.Name), cancellation);
    }

    private static async Task RefuseTakenAsync(EdmConnection connection, UserId user, string name, SegmentId? own, CancellationToken cancellation)
    {
        var key = NameKey.Of(name);
        if (await connection.GetTable<SegmentRow>().SingleOrDefaultAsync(s => s.UserId == user && s.NameKey == key, cancellation) is { } taken && taken.Id != own)
        {
            throw new ConflictException($"There is a segment '{taken.Name}' already.", "name");
        }
    }

    private static string Checked(string name)
    {
        const string Field = "name";
        name = name.Trim();
        return name.Length switch
        {
            0 => throw new FieldException(Field, "A segment needs a name."),
            > MaxName => throw new FieldException(Field, $"A name is at most {MaxName} characters."),
            _ when name.Any(char.IsControl) || !IsWhole(name) => throw new FieldException(Field, "A name can't hold control characters."),
            _ => name,
        };

        static bool IsWhole(string text)
        {
            for (var i = 0; i < text.Length; i++)
            {
                if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
