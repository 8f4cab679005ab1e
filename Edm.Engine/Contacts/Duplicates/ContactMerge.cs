using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Duplicates;

/// <summary>
/// Makes several contacts of one person a single one, in one step: it keeps its own values and takes what it has not, the tags of all, the latest activity, the strictest
/// status and the history. The others are gone, so an audience that holds one of them skips it, and nobody is mailed twice.
/// </summary>
public sealed class ContactMerge(EdmDatabase database, SuppressionStore suppressions, TimeProvider time)
{
    public const int MaxMerged = 100;

    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="by">The name of the person's key.</param>
    /// <returns>Null when the user has no contact to merge into.</returns>
    /// <exception cref="FieldException">One of the others is not there, or stands there twice.</exception>
    /// <exception cref="ConflictException">Together they have too many attributes.</exception>
    public Task<Contact?> MergeAsync(UserId user, ContactId into, IReadOnlyList<ContactId> from, string by, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(from);
        if (from.Count is 0 or > MaxMerged)
        {
            throw new FieldException("from", $"1 to {MaxMerged} contacts can be merged at once; these are {from.Count}.");
        }

        if (from.Contains(into) || from.Distinct().Count() != from.Count)
        {
            throw new FieldException("from", "Each contact stands here once, and the one that they are merged into does not.");
        }

        return database.WriteAsync(
            async connection =>
            {
                var book = await ContactBook.OpenAsync(connection, user, cancellation);
                var ids = from.Append(into).ToArray();
                var rows = await connection.GetTable<ContactRow>().Where(c => c.UserId == user && ids.Contains(c.Id)).ToDictionaryAsync(c => c.Id, cancellation);
                if (!rows.TryGetValue(into, out var target))
                {
                    return null;
                }

                if (from.FirstOrDefault(id => !rows.ContainsKey(id)) is { Value: not 0 } missing)
                {
                    throw new FieldException("from", $"There is no contact {missing}.");
                }

                var now = time.GetUtcNow().ToUnixTimeMilliseconds();
                await UniteTagsAsync(connection, book, target, [.. from.Select(id => rows[id])], by, cancellation);
                await UniteActivityAsync(connection, target, [.. from.Select(id => rows[id].Ordinal)], cancellation);
                foreach (var other in from.Select(id => rows[id]))
                {
                    await UniteHistoryAsync(connection, target, other, cancellation);
                    var whole = With(target, other);
                    var changes = ChangeLine.Of(target, whole);
                    changes[ChangeLine.MergedEmail] = new JsonArray(other.Email, null);
                    await ChangeLine.AddAsync(connection, target, now, ContactChangeKinds.Merged, by, changes, cancellation, other.Id);
                    await ContactStore.RemoveAsync(connection, book, other, erase: false, time, cancellation);
                    target = whole with { UpdatedAt = now };
                }

                if (ContactStore.SuppressionOf(target.Status) is { } reason)
                {
                    foreach (var other in from)
                    {
                        await suppressions.AddAsync(connection, user, rows[other].EmailKey, reason, cancellation);
                    }
                }

                await connection.UpdateAsync(target, token: cancellation);
                book.Touch(target.Ordinal);
                await book.CloseAsync(cancellation);
                return target.ToContact();
            },
            cancellation);
    }

    /// <summary>One contact with what it has not and the other one has.</summary>
    /// <exception cref="ConflictException">Together they have too many attributes.</exception>
    internal static ContactRow With(ContactRow target, ContactRow other) => target with
    {
        Handle = target.Handle ?? other.Handle,
        Nickname = target.Nickname ?? other.Nickname,
        Followers = target.Followers ?? other.Followers,
        Country = target.Country ?? other.Country,
        Language = target.Language ?? other.Language,
        Category = target.Category ?? other.Category,
        Bio = target.Bio ?? other.Bio,
        Attributes = AttributesOf(target, other),
        Status = Strictest(target.Status, other.Status),
    };

    private static string AttributesOf(ContactRow target, ContactRow other)
    {
        var all = target.ReadAttributes();
        var own = all.Count;
        foreach (var (name, value) in other.ReadAttributes())
        {
            all.TryAdd(name, value);
        }

        return all.Count == own ? target.Attributes
            : all.Count <= ContactLimits.Attributes ? JsonSerializer.Serialize(all, Json)
            : throw new ConflictException($"Contacts {target.Id} and {other.Id} have {all.Count} attributes together, and a contact has at most {ContactLimits.Attributes}.", "from");
    }

    private static string Strictest(string left, string right) => Strictness(left) >= Strictness(right) ? left : right;

    private static int Strictness(string status) =>
        ContactStatuses.TryParse(status, out var known) ? (int)known : throw new InvalidOperationException($"'{status}' is not the status of a contact.");

    /// <summary>As one recorded operation, which is none when the target has all the tags already.</summary>
    private async Task UniteTagsAsync(EdmConnection connection, ContactBook book, ContactRow target, ContactRow[] others, string by, CancellationToken cancellation)
    {
        var merged = ContactSet.Of(others.Select(other => other.Ordinal));
        var members = new Dictionary<TagId, ContactSet>();
        await new SqlBatch(connection).ReadTagged(target.UserId, merged, [.. merged.Chunks.Append(ContactChunk.Of(target.Ordinal)).Distinct()], members).ExecuteAsync(cancellation);
        var changes = new TagChanges();
        foreach (var (tag, contacts) in members)
        {
            if (contacts.Overlaps(merged) && !contacts.Contains(target.Ordinal))
            {
                changes.Add(tag, ContactSet.Of(target.Ordinal));
            }
        }

        if (!changes.IsEmpty)
        {
            await new TagWriter(connection, target.UserId, book, time).ApplyAsync(
                TagOperationKind.Add, new TagOrigin(TagSource.Person, by), changes, cancellation,
                new JsonObject { ["contact"] = target.Id.Value, ["merged"] = new JsonArray([.. others.Select(other => JsonValue.Create(other.Id.Value))]) });
        }
    }

    private static async Task UniteActivityAsync(EdmConnection connection, ContactRow target, int[] others, CancellationToken cancellation)
    {
        var all = others.Append(target.Ordinal).Order().ToArray();
        var lockRows = new SqlBatch(connection);

        // Taken in the order in which sending takes them.
        await lockRows.Read(
            $"SELECT ordinal FROM contact_activity WHERE user_id = @user AND ordinal {lockRows.In("@all")} ORDER BY ordinal{(connection.IsPostgres ? " FOR UPDATE" : "")}", _ => { },
            ("@user", target.UserId.Value), ("@all", all)).ExecuteAsync(cancellation);
        var batch = new SqlBatch(connection);
        await batch
            .Add(
                $"""
                INSERT INTO contact_activity (user_id, ordinal, last_sent_at)
                SELECT @user, @target, max(last_sent_at) FROM contact_activity WHERE user_id = @user AND ordinal {batch.In("@all")} HAVING count(*) > 0
                ON CONFLICT (user_id, ordinal) DO UPDATE SET last_sent_at = excluded.last_sent_at
                """,
                ("@user", target.UserId.Value), ("@target", target.Ordinal), ("@all", all))
            .Add(
                "UPDATE contact_chunks SET activity = activity + 1 WHERE user_id = @user AND chunk = @chunk",
                ("@user", target.UserId.Value), ("@chunk", ContactChunk.Of(target.Ordinal)))
            .ExecuteAsync(cancellation);
    }

    /// <summary>The lines of the other one become the target's; which imports met it is kept by its ordinal, which goes, and so becomes lines too.</summary>
    private static async Task UniteHistoryAsync(EdmConnection connection, ContactRow target, ContactRow other, CancellationToken cancellation)
    {
        var batch = new SqlBatch(connection);
        string Has(string bits) => TagStatements.Bit(connection.IsPostgres, bits, "@bit");
        await batch
            .Add(
                "UPDATE contact_changes SET contact_id = @target WHERE user_id = @user AND contact_id = @other",
                ("@target", target.Id.Value), ("@user", target.UserId.Value), ("@other", other.Id.Value))
            .Add(
                $$"""
                INSERT INTO contact_changes (user_id, contact_id, at, kind, source, reference, changes)
                SELECT i.user_id, @target, i.created_at, CASE WHEN {{Has("m.created")}} = 1 THEN 'created' ELSE 'unchanged' END, 'import', cast(i.id AS text), '{}'
                FROM imports i JOIN import_contacts m ON m.import_id = i.id
                WHERE i.user_id = @user AND m.chunk = @chunk AND {{Has("m.seen")}} = 1 AND coalesce({{Has("m.changed")}}, 0) = 0
                """,
                ("@target", target.Id.Value), ("@user", target.UserId.Value), ("@chunk", ContactChunk.Of(other.Ordinal)), ("@bit", other.Ordinal % ContactChunk.Size))
            .ExecuteAsync(cancellation);
    }
}
