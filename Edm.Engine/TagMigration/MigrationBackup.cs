using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Npgsql;

namespace Edm.Engine.TagMigration;

/// <summary>
/// Both sides as they were before anything was written: <c>old.ndjson.gz</c> (<c>[key, value as text]</c> a line), <c>edm.ndjson.gz</c> (tags and their members), and
/// <c>manifest.json</c>, which is written last and says how many lines there are and what their SHA-256 is.
/// </summary>
internal static class MigrationBackup
{
    private const string OldFile = "old.ndjson.gz";
    private const string EdmFile = "edm.ndjson.gz";
    private const string ManifestFile = "manifest.json";
    private const int RestoreRows = 2_000;

    /// <summary>Takes a backup, unless the folder has a valid one of this table already.</summary>
    /// <exception cref="MigrationException">The folder holds another one, or one that is damaged, or can't be written.</exception>
    public static async Task EnsureAsync(MigrationSession session, string folder, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(folder);
            if (File.Exists(Path.Combine(folder, ManifestFile)))
            {
                await CheckAsync(session, folder, cancellation);
                return;
            }

            var old = await WriteAsync(folder, OldFile, writer => OldLinesAsync(session, writer, cancellation), cancellation);
            var edm = await WriteAsync(folder, EdmFile, writer => EdmLinesAsync(session, writer, cancellation), cancellation);
            var manifest = new Manifest(session.Old.Table.Source, session.Time.GetUtcNow(), [.. session.Owners.Users.Select(u => u.Value)], old, edm);
            var temporary = Path.Combine(folder, ManifestFile + ".part");
            await File.WriteAllTextAsync(temporary, JsonSerializer.Serialize(manifest), cancellation);
            File.Move(temporary, Path.Combine(folder, ManifestFile));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new MigrationException($"--backup: '{folder}' can't be used: {exception.Message} Nothing was changed.", exception);
        }
    }

    /// <exception cref="MigrationException">It is not the backup of this table, or not as it was written.</exception>
    public static async Task<Manifest> CheckAsync(MigrationSession session, string folder, CancellationToken cancellation)
    {
        Manifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<Manifest>(await File.ReadAllTextAsync(Path.Combine(folder, ManifestFile), cancellation));
        }
        catch (Exception exception) when (exception is JsonException or IOException)
        {
            throw new MigrationException($"--backup: '{folder}' holds no backup that can be read.", exception);
        }

        if (manifest?.Source != session.Old.Table.Source)
        {
            throw new MigrationException($"--backup: '{folder}' holds the backup of {manifest?.Source}, not of {session.Old.Table.Source}. Name another folder.");
        }

        foreach (var (file, part) in ((string, Part)[])[(OldFile, manifest.Old), (EdmFile, manifest.Edm)])
        {
            await using var stream = File.Exists(Path.Combine(folder, file)) ? File.OpenRead(Path.Combine(folder, file)) : Stream.Null;
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) != part.Sha256)
            {
                throw new MigrationException($"--backup: {file} in '{folder}' is not as it was written. Name another folder, and a new backup is taken.");
            }
        }

        return manifest;
    }

    /// <summary>Writes the old column back where it differs.</summary>
    /// <returns>How many rows differed.</returns>
    public static async Task<long> RestoreOldAsync(MigrationSession session, string folder, CancellationToken cancellation)
    {
        var manifest = await CheckAsync(session, folder, cancellation);
        await using var connection = await session.Old.ConnectAsync(cancellation);
        var (restored, done) = (0L, 0L);
        await foreach (var lines in LinesAsync(Path.Combine(folder, OldFile), cancellation))
        {
            var rows = lines.Select(l => JsonSerializer.Deserialize<string?[]>(l)!).ToArray();
            restored += await OldColumn.WriteAsync(session.Old.Table, connection, [.. rows.Select(r => (r[0]!, r[1]))], cancellation);
            session.Progress?.Report(new MigrationProgress("restoring", done += rows.Length, manifest.Old.Rows));
        }

        return restored;
    }

    /// <summary>Gives the tags of the users concerned back as they were; contacts that were deleted since stay deleted, and new contacts stay without tags.</summary>
    public static async Task RestoreEdmAsync(MigrationSession session, string folder, CancellationToken cancellation)
    {
        var manifest = await CheckAsync(session, folder, cancellation);
        foreach (var user in manifest.Users.Order())
        {
            List<TagLine> tags = [];
            await foreach (var lines in LinesAsync(Path.Combine(folder, EdmFile), cancellation))
            {
                tags.AddRange(lines.Select(l => JsonSerializer.Deserialize<TagLine>(l)!).Where(t => t.User == user));
            }

            await session.Database.WriteAsync(
                async connection =>
                {
                    var book = await ContactBook.OpenAsync(connection, new UserId(user), cancellation);
                    await RestoreUserAsync(connection, user, tags, manifest.TakenAt, cancellation);
                    await book.CloseAsync(cancellation);
                },
                cancellation);
        }
    }

    private static async Task RestoreUserAsync(EdmConnection connection, long user, List<TagLine> tags, DateTimeOffset takenAt, CancellationToken cancellation)
    {
        DataParameter[] parameters = [new("user", user), new("at", takenAt.ToUnixTimeMilliseconds()), MigrationSql.List("tags", tags.Select(t => t.Id))];
        var live = (await connection.QueryToListAsync<ContactChunkRow>("SELECT * FROM contact_chunks WHERE user_id = @user", cancellation, parameters)).ToDictionary(c => c.Chunk, c => c.Live);
        await connection.ExecuteAsync("DELETE FROM tag_members WHERE tag_id IN (SELECT id FROM tags WHERE user_id = @user)", cancellation, parameters);
        await connection.ExecuteAsync("DELETE FROM tag_operations WHERE user_id = @user AND at >= @at AND source = 'import' AND actor = 'migrate-tags'", cancellation, parameters);
        await connection.ExecuteAsync($"DELETE FROM tags WHERE user_id = @user AND id NOT IN {MigrationSql.Numbers(connection, "@tags")}", cancellation, parameters);
        foreach (var tag in tags)
        {
            var count = 0;
            foreach (var (chunk, bits) in tag.Members)
            {
                var words = ContactChunk.FromBytes(bits);
                var alive = live.TryGetValue(chunk, out var stored) ? ContactChunk.FromBytes(stored) : new ulong[ContactChunk.Words];
                for (var i = 0; i < words.Length; i++)
                {
                    words[i] &= alive[i];
                }

                count += ContactChunk.Count(words);
                if (ContactChunk.Count(words) > 0)
                {
                    await connection.ExecuteAsync(
                        "INSERT INTO tag_members (tag_id, chunk, bits) VALUES (@tag, @chunk, @bits)", cancellation,
                        new DataParameter("tag", tag.Id), new DataParameter("chunk", chunk), new DataParameter("bits", ContactChunk.ToBytes(words), DataType.VarBinary));
                }
            }

            await connection.ExecuteAsync(
                """
                INSERT INTO tags (id, user_id, name, name_key, color, contacts, created_at, updated_at) VALUES (@tag, @user, @name, @key, @color, @count, @at, @at)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, color = excluded.color, contacts = excluded.contacts, deleted_at = NULL
                """,
                cancellation,
                [.. parameters[..2], new DataParameter("tag", tag.Id), new DataParameter("name", tag.Name), new DataParameter("key", Tags.TagName.KeyOf(tag.Name)), new DataParameter("color", tag.Color), new DataParameter("count", count)]);
        }
    }

    private static async Task<long> OldLinesAsync(MigrationSession session, StreamWriter writer, CancellationToken cancellation)
    {
        await using var connection = await session.Old.ConnectAsync(cancellation);
        // JSON has no control characters in it, so with these two the CSV of COPY is the line as it is.
        using var lines = await connection.BeginTextExportAsync(
            $"COPY (SELECT jsonb_build_array({session.Old.Table.KeyJson("t")}, t.{session.Old.Table.Tags}::text)::text FROM {session.Old.Table.Name} t) TO STDOUT (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02')",
            cancellation);
        var rows = 0L;
        while (await lines.ReadLineAsync(cancellation) is { } line)
        {
            await writer.WriteLineAsync(line.AsMemory(), cancellation);
            if (++rows % 10_000 == 0)
            {
                session.Progress?.Report(new MigrationProgress("backing up", rows));
            }
        }

        return rows;
    }

    private static Task<long> EdmLinesAsync(MigrationSession session, StreamWriter writer, CancellationToken cancellation) => session.Database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            var rows = 0L;
            foreach (var user in session.Owners.Users)
            {
                foreach (var tag in await connection.QueryToListAsync<TagRow>(
                    "SELECT id, name, color FROM tags WHERE user_id = @user AND deleted_at IS NULL ORDER BY id", cancellation, new DataParameter("user", user.Value)))
                {
                    var members = (await MemberBits.OfTagsAsync(connection, [tag.Id], cancellation)).GetValueOrDefault(tag.Id) ?? new ContactSet();
                    var line = new TagLine(user.Value, tag.Id, tag.Name, tag.Color, members.Chunks.ToDictionary(c => c, c => ContactChunk.ToBytes(members.Bits(c))));
                    await writer.WriteLineAsync(JsonSerializer.Serialize(line).AsMemory(), cancellation);
                    rows++;
                }
            }

            return rows;
        },
        cancellation);

    private static async Task<Part> WriteAsync(string folder, string name, Func<StreamWriter, Task<long>> write, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, name);
        long rows;
        await using (var file = new FileStream(path + ".part", FileMode.Create, FileAccess.Write))
        {
            await using (var writer = new StreamWriter(new GZipStream(file, CompressionLevel.Fastest, leaveOpen: true), new UTF8Encoding(false)))
            {
                writer.NewLine = "\n";
                rows = await write(writer);
            }

            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".part", path, overwrite: true);
        await using var written = File.OpenRead(path);
        return new Part(rows, Convert.ToHexStringLower(await SHA256.HashDataAsync(written, cancellation)));
    }

    private static async IAsyncEnumerable<string[]> LinesAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        List<string> lines = [];
        while (await reader.ReadLineAsync(cancellation) is { } line)
        {
            lines.Add(line);
            if (lines.Count == RestoreRows)
            {
                yield return [.. lines];
                lines.Clear();
            }
        }

        yield return [.. lines];
    }

    internal sealed record Manifest(string Source, DateTimeOffset TakenAt, IReadOnlyList<long> Users, Part Old, Part Edm);

    internal sealed record Part(long Rows, string Sha256);

    private sealed record TagLine(long User, long Id, string Name, string? Color, Dictionary<int, byte[]> Members);

    private sealed record TagRow
    {
        [Column] public long Id { get; init; }
        [Column] public string Name { get; init; } = "";
        [Column] public string? Color { get; init; }
    }
}
