using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Which contacts an import has come upon so far, so that an address that comes again in a later chunk counts as if it stood in one. The table import_contacts.</summary>
internal sealed class ImportedContacts
{
    public ContactSet Created { get; } = new();

    public ContactSet Changed { get; } = new();

    /// <summary>All of them.</summary>
    public ContactSet Seen { get; } = new();

    public static async Task<ImportedContacts> LoadAsync(EdmConnection connection, ImportId import, CancellationToken cancellation)
    {
        var imported = new ImportedContacts();
        foreach (var row in await connection.GetTable<ImportContactsRow>().Where(row => row.ImportId == import).ToListAsync(cancellation))
        {
            imported.Created.SetBits(row.Chunk, row.Created is null ? null : ContactChunk.FromBytes(row.Created));
            imported.Changed.SetBits(row.Chunk, row.Changed is null ? null : ContactChunk.FromBytes(row.Changed));
            imported.Seen.SetBits(row.Chunk, ContactChunk.FromBytes(row.Seen));
        }

        return imported;
    }

    /// <summary>Writes these chunks of ordinals as they are now.</summary>
    public async Task SaveAsync(EdmConnection connection, ImportId import, IEnumerable<int> chunks, CancellationToken cancellation)
    {
        foreach (var chunk in chunks)
        {
            await connection.ExecuteAsync(
                """
                INSERT INTO import_contacts (import_id, chunk, created, changed, seen) VALUES (@import, @chunk, @created, @changed, @seen)
                ON CONFLICT (import_id, chunk) DO UPDATE SET created = excluded.created, changed = excluded.changed, seen = excluded.seen
                """,
                cancellation,
                new DataParameter("import", import.Value), new DataParameter("chunk", chunk), Bits("created", Created.Bits(chunk)), Bits("changed", Changed.Bits(chunk)),
                Bits("seen", Seen.Bits(chunk)));
        }
    }

    private static DataParameter Bits(string name, ReadOnlySpan<ulong> words) =>
        new(name, words.IsEmpty || !words.ContainsAnyExcept(0UL) ? null : ContactChunk.ToBytes(words), DataType.VarBinary);

    [Table("import_contacts")]
    private sealed record ImportContactsRow
    {
        [PrimaryKey(1)] public ImportId ImportId { get; init; }
        [PrimaryKey(2)] public int Chunk { get; init; }
        [Column] public byte[]? Created { get; init; }
        [Column] public byte[]? Changed { get; init; }
        [Column] public byte[] Seen { get; init; } = [];
    }
}
