using System.Text.Json;
using LinqToDB;
using LinqToDB.Data;
using Edm.Engine.Storage;

namespace Edm.Engine.TagMigration;

/// <summary>Lists as parameters: a JSON array, which both databases read as rows, so that a statement is one whatever the length.</summary>
internal static class MigrationSql
{
    public static DataParameter List<T>(string name, IEnumerable<T> values) => new(name, JsonSerializer.Serialize(values), DataType.Text);

    /// <summary>A sub query of the texts in the JSON array.</summary>
    public static string Texts(EdmConnection connection, string parameter) =>
        connection.IsPostgres ? $"(SELECT value FROM json_array_elements_text({parameter}::json))" : $"(SELECT value FROM json_each({parameter}))";

    /// <summary>A sub query of the numbers in the JSON array.</summary>
    public static string Numbers(EdmConnection connection, string parameter) =>
        connection.IsPostgres ? $"(SELECT value::bigint FROM json_array_elements_text({parameter}::json))" : $"(SELECT value FROM json_each({parameter}))";

    /// <summary>Rows out of a JSON array of arrays, as r(c0, c1, ...).</summary>
    /// <param name="types">text, bigint or jsonb, a column each.</param>
    public static string Rows(EdmConnection connection, string parameter, params string[] types) => connection.IsPostgres
        ? $"(SELECT {string.Join(", ", types.Select((t, i) => $"(value->>{i})::{t} AS c{i}"))} FROM json_array_elements({parameter}::json)) r"
        : $"(SELECT {string.Join(", ", types.Select((_, i) => $"value->>{i} AS c{i}"))} FROM json_each({parameter})) r";
}
