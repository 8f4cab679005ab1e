using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>What EDM has of one chunk of a user's contacts, all of one moment.</summary>
internal sealed record ContactState(
    IReadOnlyList<KeyRow> Keys, Dictionary<int, List<long>> Tags, Dictionary<int, List<long>> Kept, Dictionary<int, string> Emails, Dictionary<string, NameRow> Names,
    Dictionary<long, string> TagNames)
{
    /// <param name="of">Only these contacts.</param>
    public static Task<ContactState> ReadAsync(EdmDatabase database, long migration, long user, ContactSet of, int chunk, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var (first, end) = (ContactChunk.First(chunk), ContactChunk.First(chunk + 1));
            DataParameter[] parameters = [new("id", migration), new("user", user), new("first", first), new("end", end)];
            var keys = await connection.QueryToListAsync<KeyRow>(
                "SELECT * FROM tag_migration_keys WHERE migration_id = @id AND user_id = @user AND ordinal >= @first AND ordinal < @end ORDER BY old_key", cancellation, parameters);
            var members = MemberBits.ByContact(await MemberBits.OfChunkAsync(connection, user, chunk, cancellation), of);
            var kept = MemberBits.ByContact(await MemberBits.KeptAsync(connection, migration, user, chunk, cancellation), of);
            var emails = await connection.QueryToListAsync<Email>(
                "SELECT ordinal, email_key FROM contacts WHERE user_id = @user AND ordinal >= @first AND ordinal < @end", cancellation, parameters);
            var names = await connection.QueryToListAsync<NameRow>("SELECT * FROM tag_migration_names WHERE migration_id = @id AND user_id = @user", cancellation, parameters);
            return new ContactState(
                [.. keys.Where(k => of.Contains(k.Ordinal!.Value))], members, kept, emails.ToDictionary(e => e.Ordinal, e => e.EmailKey), names.ToDictionary(n => n.Spelling, StringComparer.Ordinal),
                await MemberBits.NamesAsync(connection, user, cancellation));
        },
        cancellation);

    private sealed record Email
    {
        [Column] public int Ordinal { get; init; }
        [Column] public string EmailKey { get; init; } = "";
    }
}
