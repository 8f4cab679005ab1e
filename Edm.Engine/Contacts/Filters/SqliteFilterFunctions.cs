using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Microsoft.Data.Sqlite;

namespace Edm.Engine.Contacts.Filters;

/// <summary>What <see cref="ContactFilterSql"/> needs of SQLite and SQLite does not have. They stay with the connection until it is closed.</summary>
internal static class SqliteFilterFunctions
{
    public static void Register(EdmConnection connection)
    {
        if (connection.IsPostgres || connection.OpenDbConnection() is not SqliteConnection sqlite)
        {
            return;
        }

        sqlite.CreateFunction("edm_number", (string? text) => AttributeValue.TryNumber(text, out var number) ? number : (double?)null, isDeterministic: true);
        sqlite.CreateFunction("edm_day", (string? text) => AttributeValue.TryDay(text, out var day) ? day : (int?)null, isDeterministic: true);
        sqlite.CreateFunction("get_bit", (byte[] bits, int bit) => bits.Length == ContactChunk.Bytes ? (bits[bit / 8] >> (bit % 8)) & 1 : 0, isDeterministic: true);
    }
}
