namespace Edm.Engine.Storage;

/// <summary>Where EDM keeps what it must not forget.</summary>
/// <param name="PostgresConnectionString">Null or empty: SQLite files in <paramref name="DataFolder"/>. A pooler between must be in session mode: locks and temporary tables live in a session.</param>
/// <param name="DataFolder">Made when it is missing, readable by its owner only: it holds addresses and secrets.</param>
public sealed record StorageSettings(string? PostgresConnectionString, string DataFolder)
{
    public bool IsPostgres => !string.IsNullOrWhiteSpace(PostgresConnectionString);

    // A record prints its members; a connection string holds a password.
    public override string ToString() => IsPostgres ? "PostgreSQL" : $"SQLite in {DataFolder}";
}
