using System.Text;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Testing.Databases;

/// <summary>Looks for words in whatever a database holds: every column of every table that there is, of the journal too, so that a table of tomorrow is looked through as well.</summary>
public static class StoredWords
{
    /// <returns>Where any of the words stands, whatever its case (A–Z): <c>table.column: word</c>.</returns>
    public static async Task<IReadOnlyList<string>> FindAsync(EdmDatabase database, params string[] words)
    {
        var found = new List<string>();
        foreach (var (table, column, isBytes) in await ColumnsAsync(database))
        {
            foreach (var word in words)
            {
                var count = await database.RunAsync(connection => connection.ExecuteAsync<long>(
                    connection.IsPostgres
                        ? $"SELECT count(*) FROM \"{table}\" WHERE position(@word in lower({(isBytes ? $"encode(\"{column}\", 'escape')" : $"\"{column}\"::text")} COLLATE \"C\")) > 0"
                        : $"SELECT count(*) FROM \"{table}\" WHERE instr(lower(CAST(\"{column}\" AS text)), @word) > 0 OR instr(CAST(\"{column}\" AS blob), CAST(@word AS blob)) > 0",
                    new DataParameter("word", Lower(word), DataType.Text)));
                if (count > 0)
                {
                    found.Add($"{table}.{column}: {word}");
                }
            }
        }

        return found;
    }

    /// <returns>The names of the words that stand in the bytes of a file, as UTF-8 or UTF-16, whatever their case (A–Z). A file that is not there holds nothing.</returns>
    public static async Task<IReadOnlyList<string>> InFileAsync(string file, params string[] words)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = bytes[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(bytes[i] | 0x20) : bytes[i];
        }

        return [.. words.Where(word => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(Lower(word))) >= 0 || bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(Lower(word))) >= 0)
            .Select(word => $"{Path.GetFileName(file)}: {word}")];
    }

    private static Task<List<(string Table, string Column, bool IsBytes)>> ColumnsAsync(EdmDatabase database) => database.RunAsync(async connection =>
    {
        var columns = await connection.QueryToListAsync<ColumnRow>(connection.IsPostgres
            ? """
              SELECT c.table_name AS name, c.column_name AS part, c.data_type AS type FROM information_schema.columns c
              JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
              WHERE t.table_type = 'BASE TABLE' AND t.table_schema NOT IN ('pg_catalog', 'information_schema')
              """
            : "SELECT m.name AS name, c.name AS part, c.type AS type FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'");
        return columns.ConvertAll(row => (row.Name, row.Part, row.Type == "bytea"));
    });

    private static string Lower(string word) => string.Concat(word.Select(c => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c));

    private sealed class ColumnRow
    {
        [LinqToDB.Mapping.Column("name")] public string Name { get; init; } = "";
        [LinqToDB.Mapping.Column("part")] public string Part { get; init; } = "";
        [LinqToDB.Mapping.Column("type")] public string Type { get; init; } = "";
    }
}
