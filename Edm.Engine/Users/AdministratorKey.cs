using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Users;

/// <summary>
/// Sees at every start that somebody can get in: where no administrator has a valid key, one is made and written to <c>admin.key</c> in the data
/// folder, readable by its owner only.
/// </summary>
public sealed class AdministratorKey(EdmDatabase database, UserStore users, KeyStore keys)
{
    private const string UserName = "admin";

    public string FilePath { get; } = Path.Combine(database.Settings.DataFolder, "admin.key");

    /// <returns>True when a key was made; then <see cref="FilePath"/> holds it.</returns>
    public async Task<bool> EnsureAsync(CancellationToken cancellation)
    {
        if (await database.RunAsync(connection => HasKeyAsync(connection, cancellation), cancellation))
        {
            return false;
        }

        // The file comes first: a crash in between leaves a key that opens nothing and is replaced at the next start, never one that nobody has.
        var text = KeyText.Create();
        var draft = await WriteDraftAsync(text, cancellation);
        var made = await database.WriteAsync(
            async connection =>
            {
                if (database.IsPostgres)
                {
                    // Nodes that start together take turns; the second finds the key of the first.
                    await connection.ExecuteAsync("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE", cancellation);
                }

                if (await HasKeyAsync(connection, cancellation))
                {
                    return false;
                }

                var user = await connection.GetTable<UserRow>().Where(row => row.Role == UserRow.Admin).OrderBy(row => row.Id).FirstOrDefaultAsync(cancellation) is { } row
                    ? row.ToUser()
                    : await users.InsertAsync(connection, UserName, UserRole.Admin, cancellation);
                await keys.InsertAsync(connection, user.Id, "first key", text, cancellation);
                File.Move(draft, FilePath, overwrite: true);
                return true;
            },
            cancellation);
        File.Delete(draft);
        return made;
    }

    private static Task<bool> HasKeyAsync(EdmConnection connection, CancellationToken cancellation) => (
        from key in connection.GetTable<ApiKeyRow>()
        join user in connection.GetTable<UserRow>() on key.UserId equals user.Id
        where user.Role == UserRow.Admin && key.RevokedAt == null
        select key.Id).AnyAsync(cancellation);

    private async Task<string> WriteDraftAsync(string text, CancellationToken cancellation)
    {
        SqliteFiles.MakeFolder(Path.GetDirectoryName(Path.GetFullPath(FilePath))!);
        var draft = FilePath + ".new";
        File.Delete(draft);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            // From the first moment on, and not by a later change of mode.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(draft, options);
        await using var writer = new StreamWriter(stream);
        await writer.WriteLineAsync(text.AsMemory(), cancellation);
        await writer.FlushAsync(cancellation);
        stream.Flush(flushToDisk: true);
        return draft;
    }
}
