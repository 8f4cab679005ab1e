using Microsoft.Data.Sqlite;

namespace Edm.Engine.Storage;

/// <summary>The data folder of an embedded installation.</summary>
internal static class SqliteFiles
{
    /// <summary>Makes the folder and both files, and sets what a SQLite file keeps for ever: WAL, in which readers and the writer don't hold each other up.</summary>
    /// <returns>The folder.</returns>
    /// <exception cref="StorageException">The folder can't be written, or can't do WAL, or a file is no SQLite database.</exception>
    public static string Prepare(EdmDatabase database)
    {
        var folder = MakeFolder(database.Settings.DataFolder);
        foreach (var file in (string[])[database.DatabaseFile, database.JournalFile])
        {
            try
            {
                using var connection = new SqliteConnection(EdmDatabase.SqliteConnectionString(file));
                connection.Open();
                EdmDatabase.Harden(connection);
                using var command = connection.CreateCommand();
                command.CommandText = "PRAGMA journal_mode = WAL";
                if (command.ExecuteScalar() is not "wal")
                {
                    throw new StorageException($"{file} can't use SQLite's write-ahead log; a data folder must be on a local disk, not on a network share.");
                }
            }
            catch (SqliteException exception)
            {
                throw new StorageException($"{file} can't be opened as a SQLite database: {exception.Message}", exception);
            }
        }

        return folder;
    }

    /// <summary>Readable by its owner only; files that SQLite makes in it need no mode of their own then.</summary>
    public static string MakeFolder(string folder)
    {
        try
        {
            var path = Path.GetFullPath(folder);
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(path);
            }
            else
            {
                Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            return path;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new StorageException($"The data folder '{folder}' can't be made: {exception.Message}", exception);
        }
    }
}
