using System.Buffers;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;

namespace Edm.Engine.Contacts.Export;

/// <summary>
/// Contacts as a file, at constant memory: who is meant is decided at one moment and kept as a set (a bit a contact), and each page is read when the one before has been
/// written, in a snapshot of its own. Who takes the file slowly holds no connection meanwhile. A contact that goes in between is left out, and one that changes comes as it is then.
/// </summary>
public sealed class ContactExport(EdmDatabase database, ContactSelection selection)
{
    /// <summary>A page is held in memory, and a hostile contact may have a megabyte of attributes.</summary>
    private const int PageSize = 500;

    /// <summary>Spreadsheets open so many columns without pain; whatever a user has besides goes into <see cref="ExportNames.More"/>.</summary>
    internal const int MaxAttributeColumns = 500;

    /// <summary>Of all names together: an import finds the header in the first 64 K characters.</summary>
    private const int MaxHeader = 24_000;

    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public Task<ExportRun> BeginAsync(UserId user, ContactFilter filter, ExportFormat format, CancellationToken cancellation = default) => database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var set = await selection.EvaluateAsync(connection, user, filter, cancellation);
            IExportWriter writer = format switch
            {
                ExportFormat.Csv => new CsvExportWriter(await AttributesAsync(connection, user, cancellation)),
                ExportFormat.Ndjson => new NdjsonExportWriter(),
                _ => throw new InvalidOperationException($"{format} is not a format."),
            };
            return new ExportRun(database, user, set, writer, PageSize);
        },
        cancellation);

    /// <summary>The names of all attributes that the user's contacts have, as far as they get columns.</summary>
    private static async Task<IReadOnlyList<string>> AttributesAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        var names = new List<string>();
        await new SqlBatch(connection).Read(
            connection.IsPostgres
                ? "SELECT DISTINCT a.name FROM contacts c CROSS JOIN LATERAL jsonb_object_keys(c.attributes) a (name) WHERE c.user_id = @user AND c.attributes <> '{}'"
                : "SELECT DISTINCT a.key FROM contacts c, json_each(c.attributes) a WHERE c.user_id = @user AND c.attributes <> '{}'",
            row => names.Add(row.GetString(0)),
            ("@user", user.Value)).ExecuteAsync(cancellation);
        names.Sort(StringComparer.Ordinal);
        var length = 0;
        return [.. names.TakeWhile(name => (length += name.Length + ExportNames.Attribute.Length + 3) <= MaxHeader).Take(MaxAttributeColumns)];
    }
}

/// <summary>An export that has begun.</summary>
public sealed class ExportRun
{
    /// <summary>Handed on in pieces of about this size.</summary>
    private const int FlushBytes = 64 * 1024;

    private readonly EdmDatabase _database;
    private readonly UserId _user;
    private readonly ContactSet _set;
    private readonly IExportWriter _writer;
    private readonly int _pageSize;

    internal ExportRun(EdmDatabase database, UserId user, ContactSet set, IExportWriter writer, int pageSize)
    {
        (_database, _user, _set, _writer, _pageSize) = (database, user, set, writer, pageSize);
        Contacts = set.Count;
    }

    /// <summary>How many there were when it began.</summary>
    public long Contacts { get; }

    /// <summary>Waits for the output as long as it takes; whatever is thrown leaves a file that is not whole.</summary>
    /// <param name="progress">Contacts gone through.</param>
    /// <returns>How many were written.</returns>
    public async Task<long> WriteAsync(Stream output, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        var buffer = new ArrayBufferWriter<byte>(2 * FlushBytes);
        _writer.Begin(buffer);
        var (written, gone) = (0L, 0L);
        foreach (var page in Pages())
        {
            foreach (var contact in await LoadAsync(page, cancellation))
            {
                _writer.Write(contact, buffer);
                written++;
                if (buffer.WrittenCount >= FlushBytes)
                {
                    await FlushAsync();
                }
            }

            gone += page.Count;
            progress?.Report(gone);
        }

        await FlushAsync();
        await output.FlushAsync(cancellation);
        return written;

        async Task FlushAsync()
        {
            await output.WriteAsync(buffer.WrittenMemory, cancellation);
            buffer.ResetWrittenCount();
        }
    }

    /// <summary>Each within one chunk of ordinals, whose tags are read once for the page.</summary>
    private IEnumerable<List<int>> Pages()
    {
        var page = new List<int>(_pageSize);
        foreach (var ordinal in _set.Ordinals)
        {
            if (page.Count == _pageSize || (page.Count > 0 && ContactChunk.Of(page[0]) != ContactChunk.Of(ordinal)))
            {
                yield return page;
                page = new List<int>(_pageSize);
            }

            page.Add(ordinal);
        }

        if (page.Count > 0)
        {
            yield return page;
        }
    }

    private Task<List<ExportedContact>> LoadAsync(List<int> ordinals, CancellationToken cancellation) => _database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var (rows, sent) = (new List<ContactRow>(ordinals.Count), new Dictionary<int, long>());
            var tags = new List<(string Key, string Name, ulong[] Bits)>();
            var batch = new SqlBatch(connection);
            var all = ordinals.ToArray();
            await batch
                .Read($"SELECT {ContactRow.Columns} FROM contacts WHERE user_id = @user AND ordinal {batch.In("@ordinals")}", row => rows.Add(ContactRow.Read(row)), ("@user", _user.Value), ("@ordinals", all))
                .Read(
                    $"SELECT ordinal, last_sent_at FROM contact_activity WHERE user_id = @user AND ordinal {batch.In("@ordinals")}", row => sent.Add(row.GetInt32(0), row.GetInt64(1)),
                    ("@user", _user.Value), ("@ordinals", all))
                .Read(
                    "SELECT t.name, m.bits FROM tags t JOIN tag_members m ON m.tag_id = t.id WHERE t.user_id = @user AND t.deleted_at IS NULL AND m.chunk = @chunk",
                    row => tags.Add((TagName.KeyOf(row.GetString(0)), row.GetString(0), ContactChunk.FromBytes((byte[])row.GetValue(1)))),
                    ("@user", _user.Value), ("@chunk", ContactChunk.Of(ordinals[0])))
                .ExecuteAsync(cancellation);
            tags.Sort(static (a, b) => string.CompareOrdinal(a.Key, b.Key));
            rows.Sort(static (a, b) => a.Ordinal.CompareTo(b.Ordinal));
            return rows.ConvertAll(row => new ExportedContact(
                row, sent.TryGetValue(row.Ordinal, out var at) ? at : null, [.. tags.Where(tag => Has(tag.Bits, row.Ordinal)).Select(tag => tag.Name)]));
        },
        cancellation);

    private static bool Has(ulong[] bits, int ordinal) => (bits[ordinal % ContactChunk.Size / 64] >> (ordinal % 64) & 1) != 0;
}
