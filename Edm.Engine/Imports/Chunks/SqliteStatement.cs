using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// A prepared statement that is run for each of many rows. Microsoft.Data.Sqlite looks every parameter up by its name at every run, which takes longer than
/// the insert; here values are laid in by their number, from 1.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private byte[] _utf8 = new byte[1024];

    public SqliteStatement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle ?? throw new InvalidOperationException("The connection is not open.");
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    public void Bind(int number, long value) => Check(raw.sqlite3_bind_int64(_statement, number, value));

    public void Bind(int number, long? value) => Check(value is { } some ? raw.sqlite3_bind_int64(_statement, number, some) : raw.sqlite3_bind_null(_statement, number));

    public void Bind(int number, string? text)
    {
        if (text is null)
        {
            BindNull(number);
            return;
        }

        var size = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (_utf8.Length < size)
        {
            _utf8 = new byte[size];
        }

        Check(raw.sqlite3_bind_text(_statement, number, _utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, _utf8))));
    }

    public void Bind(int number, ReadOnlySpan<byte> utf8) => Check(raw.sqlite3_bind_text(_statement, number, utf8));

    public void BindNull(int number) => Check(raw.sqlite3_bind_null(_statement, number));

    /// <summary>Runs a statement that answers nothing; what is bound stays.</summary>
    public void Run()
    {
        var result = raw.sqlite3_step(_statement);
        var reset = raw.sqlite3_reset(_statement);
        Check(result == raw.SQLITE_DONE ? reset : result);
    }

    public void Dispose() => _statement.Dispose();

    private void Check(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            throw new SqliteException(raw.sqlite3_errmsg(_database).utf8_to_string(), result, raw.sqlite3_extended_errcode(_database));
        }
    }
}
