using LinqToDB.Data;

namespace Edm.Engine.Storage.Journal;

/// <summary>An event as it stands in the journal.</summary>
/// <param name="Ordering">Its place among the events of all entities.</param>
/// <param name="Event">What the serializer made of it; <paramref name="Manifest"/> says how to read it.</param>
internal sealed record JournaledEvent(long Ordering, string PersistenceId, string Manifest, byte[] Event);

/// <summary>A piece of the journal.</summary>
/// <param name="Events">Those of the wanted kinds, in the journal's order.</param>
/// <param name="Position">Everything up to here has been read, and nothing will ever appear there any more.</param>
internal sealed record JournalPage(IReadOnlyList<JournaledEvent> Events, long Position, JournalRest Rest);

internal enum JournalRest
{
    /// <summary>What there is has been read.</summary>
    Nothing,

    /// <summary>The page was full.</summary>
    More,

    /// <summary>There is more, behind an event that may still come.</summary>
    Hole,
}

/// <summary>
/// Reads the journal of all entities in its order, a bounded piece at a time, and never passes by an event. On PostgreSQL a place in the journal is given out before the
/// event can be seen, and those given out later may be seen sooner; some places stay empty, where a write failed. So a hole is waited for until every transaction that
/// wrote to the journal when the hole was seen has ended. They are told by their locks on the table, which a writer takes before it gets its first place and keeps until
/// what it wrote can be seen. SQLite has one writer at a time, and no hole is ever filled there.
/// <para>
/// The journal plugin's own queries either miss late events or guess by time that none will come, and its query by tag reads everything at once that has not been read
/// (issue text and sources of Akka.Persistence.Sql 1.5).
/// </para>
/// Not thread-safe.
/// </summary>
/// <param name="prefix">Of the entities whose events are wanted. The others' are passed by unread.</param>
/// <param name="unwanted">The kinds of their events that are passed by too. One that nobody knows is not: who reads must refuse it, and not miss it.</param>
internal sealed class JournalReader(EdmDatabase database, string prefix, IReadOnlyCollection<string> unwanted)
{
    /// <summary>Rows of a page, wanted or not: some milliseconds.</summary>
    internal const int MaxRows = 1_000;

    /// <summary>Of a page's events, beside the last one, which may be 100 kB.</summary>
    private const int MaxBytes = 1 << 20;

    private readonly string[] passedBy = [.. unwanted];

    /// <summary>What is not there below this place will never be.</summary>
    private long settled;

    /// <summary>The transactions that were writing when a hole was seen, and the highest place that could be seen before that.</summary>
    private (long UpTo, HashSet<string> Writers)? awaited;
    private bool isThere;

    /// <param name="after">The place of the last event that was read.</param>
    public Task<JournalPage> ReadAsync(long after, CancellationToken cancellation) => database.RunOnJournalAsync(
        async connection =>
        {
            if (!(isThere = isThere || await IsThereAsync(connection, cancellation)))
            {
                return new JournalPage([], after, JournalRest.Nothing);
            }

            var rows = await RowsAsync(connection, after, cancellation);
            if (rows.Count == 0)
            {
                return new JournalPage([], after, JournalRest.Nothing);
            }

            var whole = Whole(rows, after);
            if (whole > 0)
            {
                awaited = null;
            }
            else if (await IsSettledAsync(connection, rows[^1].Ordering, cancellation))
            {
                // Again, as what was waited for may be there now.
                rows = await RowsAsync(connection, after, cancellation);
                whole = Whole(rows, after);
            }

            return new JournalPage(
                [.. rows.Take(whole).Where(r => r.Event is not null).Select(r => new JournaledEvent(r.Ordering, r.PersistenceId, r.Manifest, r.Event!))],
                whole == 0 ? after : rows[whole - 1].Ordering,
                whole == 0 ? JournalRest.Hole : whole == rows.Count && rows[^1].IsLastOfPage ? JournalRest.More : JournalRest.Nothing);
        },
        cancellation);

    /// <returns>How many rows come before the first hole that something may still appear in.</returns>
    private int Whole(List<Row> rows, long after)
    {
        if (!database.IsPostgres)
        {
            return rows.Count;
        }

        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Ordering != after + 1 && rows[i].Ordering > settled + 1)
            {
                return i;
            }

            after = rows[i].Ordering;
        }

        return rows.Count;
    }

    /// <returns>Whether every writer has ended that may have a place below <paramref name="seen"/>, where a hole was just seen.</returns>
    private async Task<bool> IsSettledAsync(EdmConnection connection, long seen, CancellationToken cancellation)
    {
        var writers = new HashSet<string>();
        await new SqlBatch(connection).Read(
            """
            SELECT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND relation = 'journal'::regclass AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND mode = 'RowExclusiveLock' AND granted
            """,
            row => writers.Add(row.GetString(0))).ExecuteAsync(cancellation);
        var (upTo, left) = awaited ?? (seen, writers);
        left.IntersectWith(writers);
        awaited = left.Count == 0 ? null : (upTo, left);
        settled = left.Count == 0 ? Math.Max(settled, upTo) : settled;
        return left.Count == 0;
    }

    // The journal's plugin makes its tables when the first entity asks for them.
    private static async Task<bool> IsThereAsync(EdmConnection connection, CancellationToken cancellation) => await connection.ExecuteAsync<bool>(
        connection.IsPostgres ? "SELECT to_regclass('journal') IS NOT NULL" : "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'journal'", cancellation);

    private async Task<List<Row>> RowsAsync(EdmConnection connection, long after, CancellationToken cancellation)
    {
        var rows = new List<Row>();
        var batch = new SqlBatch(connection);
        await batch.Read(
            $"""
            SELECT ordering, persistence_id, manifest, event, bytes
            FROM (
              SELECT ordering, persistence_id, manifest, event, sum(coalesce(length(event), 0)) OVER (ORDER BY ordering) AS bytes
              FROM (
                SELECT ordering, persistence_id, manifest, CASE WHEN persistence_id LIKE @ids AND NOT (manifest {batch.In("@unwanted")}) THEN message END AS event
                FROM journal WHERE ordering > @after ORDER BY ordering LIMIT @rows) read) counted
            WHERE bytes - coalesce(length(event), 0) < @bytes
            ORDER BY ordering
            """,
            row => rows.Add(new Row(
                row.GetInt64(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3),
                rows.Count + 1 == MaxRows || row.GetInt64(4) >= MaxBytes)),
            ("@ids", $"{prefix}%"), ("@unwanted", passedBy), ("@after", after), ("@rows", MaxRows), ("@bytes", MaxBytes)).ExecuteAsync(cancellation);
        return rows;
    }

    private readonly record struct Row(long Ordering, string PersistenceId, string Manifest, byte[]? Event, bool IsLastOfPage);
}
