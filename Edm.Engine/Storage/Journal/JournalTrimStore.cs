using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Storage.Journal;

/// <summary>An entity that has events which its latest snapshot holds already.</summary>
/// <param name="UpTo">The highest sequence number that may go; always below the entity's newest event.</param>
internal sealed record TrimCandidate(string PersistenceId, long UpTo);

/// <summary>
/// Looks into the tables of Akka.Persistence.Sql, and takes events out of them. Its own deletion can't be used for that: it marks an entity's newest event as
/// deleted, and knows nothing of projections, which then never see what they had not read yet.
/// </summary>
public sealed class JournalTrimStore(EdmDatabase database, TimeProvider time)
{
    /// <summary>Entities looked at in one query: some milliseconds.</summary>
    internal const int PageSize = 200;

    /// <param name="projections">The names of all that read the journal.</param>
    /// <returns>The place in the journal that every projection has read and stored; null when one has not stored any yet, or lags.</returns>
    internal async Task<long?> ReadByAllAsync(IReadOnlyList<string> projections, TimeSpan lagsAfter, CancellationToken cancellation)
    {
        var offsets = await database.RunAsync(
            connection => connection.QueryToListAsync<OffsetRow>("SELECT name, position FROM projection_offsets", cancellation), cancellation);
        if (projections.Except(offsets.Select(offset => offset.Name)).Any())
        {
            return null;
        }

        var position = offsets.Min(offset => offset.Position);
        var unread = await database.RunOnJournalAsync(
            connection => connection.ExecuteAsync<long?>(
                "SELECT created FROM journal WHERE ordering > @position ORDER BY ordering LIMIT 1", cancellation, new DataParameter("position", position)),
            cancellation);
        return unread < Ticks(lagsAfter) ? null : position;
    }

    /// <returns>The entities of one page that have something to give, and the last of that page; null at the end.</returns>
    internal async Task<(IReadOnlyList<TrimCandidate> Candidates, string? Last)> PageAsync(string after, TrimRules rules, CancellationToken cancellation)
    {
        // Sharding keeps what it remembers in the same tables, under ids that begin with a slash, and tidies up itself.
        var page = await database.RunOnJournalAsync(
            connection => connection.QueryToListAsync<EntityRow>(
                """
                SELECT s.persistence_id, s.snapshot, j.created,
                  (SELECT min(sequence_number) FROM journal WHERE persistence_id = s.persistence_id) AS first,
                  (SELECT max(sequence_number) FROM journal WHERE persistence_id = s.persistence_id) AS last
                FROM (
                  SELECT persistence_id, max(sequence_number) AS snapshot FROM snapshot
                  WHERE persistence_id > @after AND persistence_id NOT LIKE '/%'
                  GROUP BY persistence_id ORDER BY persistence_id LIMIT @limit) s
                LEFT JOIN journal j ON j.persistence_id = s.persistence_id AND j.sequence_number = s.snapshot
                ORDER BY s.persistence_id
                """,
                cancellation, new DataParameter("after", after), new DataParameter("limit", PageSize)),
            cancellation);
        var young = Ticks(rules.YoungFor);
        return ([.. page.Select(Candidate).OfType<TrimCandidate>()], page.Count < PageSize ? null : page[^1].PersistenceId);

        TrimCandidate? Candidate(EntityRow row)
        {
            var upTo = Math.Min(row.Created > young ? row.Snapshot - rules.KeptBeforeYoung : row.Snapshot, (row.Last ?? 0) - 1);
            return row.First <= upTo ? new TrimCandidate(row.PersistenceId, upTo) : null;
        }
    }

    /// <summary>Takes the oldest events of an entity out.</summary>
    /// <param name="position">None behind this place of the journal goes.</param>
    /// <returns>How many; fewer than <paramref name="batch"/> when there are no more that may go.</returns>
    internal Task<int> DeleteAsync(TrimCandidate entity, long position, int batch, CancellationToken cancellation) => database.RunOnJournalAsync(
        async connection =>
        {
            DataParameter Id() => new("id", entity.PersistenceId);
            var oldest = await connection.QueryToListAsync<EventRow>(
                "SELECT ordering, sequence_number FROM journal WHERE persistence_id = @id AND sequence_number <= @up_to ORDER BY sequence_number LIMIT @batch",
                cancellation, Id(), new DataParameter("up_to", entity.UpTo), new DataParameter("batch", batch));

            // From the oldest on and without a hole, whatever order parallel writes had.
            var going = oldest.TakeWhile(one => one.Ordering <= position).ToArray();
            if (going.Length == 0)
            {
                return 0;
            }

            return await connection.ExecuteAsync(
                "DELETE FROM journal WHERE persistence_id = @id AND sequence_number <= @last", cancellation, Id(), new DataParameter("last", going[^1].SequenceNumber));
        },
        cancellation);

    // As Akka writes the time of an event down.
    private long Ticks(TimeSpan ago) => (time.GetUtcNow() - ago).UtcTicks;

    private sealed class OffsetRow
    {
        [Column] public string Name { get; init; } = "";

        [Column] public long Position { get; init; }
    }

    private sealed class EntityRow
    {
        [Column] public string PersistenceId { get; init; } = "";

        [Column] public long Snapshot { get; init; }

        /// <summary>When the last event in the snapshot happened; null when that event has gone before.</summary>
        [Column] public long? Created { get; init; }

        [Column] public long? First { get; init; }

        [Column] public long? Last { get; init; }
    }

    private sealed class EventRow
    {
        [Column] public long Ordering { get; init; }

        [Column] public long SequenceNumber { get; init; }
    }
}
