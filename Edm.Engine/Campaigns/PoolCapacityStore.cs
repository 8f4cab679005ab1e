using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.Campaigns;

/// <summary>Gathers what <see cref="PoolCapacity"/> reckons with: the limits of a pool's services, how they do, what else they have to send, and to whom.</summary>
public sealed class PoolCapacityStore(EdmDatabase database)
{
    /// <summary>Recipients of a task that are looked at for their providers; a share of one in ten is then told to two in a hundred (95 %).</summary>
    private const int SampleSize = 1_000;

    /// <summary>Of services of somebody else only their number is told.</summary>
    /// <param name="reports">What their lanes say of the services; those of which nobody says anything are well and have sent nothing today.</param>
    public Task<PoolCapacity> OfAsync(UserId user, TaskStanding standing, IReadOnlyCollection<ServiceReport> reports, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(standing);
        return database.RunAsync(connection => OfAsync(connection, user, standing, reports, cancellation), cancellation);
    }

    private static async Task<PoolCapacity> OfAsync(
        EdmConnection connection, UserId user, TaskStanding standing, IReadOnlyCollection<ServiceReport> reports, CancellationToken cancellation)
    {
        var pool = new DataParameter("pool", standing.Task.Pool.Value);
        var services = await connection.QueryToListAsync<ServiceRow>(
            $"SELECT id, user_id, per_minute, per_hour, per_day, limits FROM services WHERE pool_id = @pool AND deleted_at IS NULL AND {(connection.IsPostgres ? "enabled" : "enabled <> 0")}",
            cancellation, pool);
        if (services.Any(service => service.UserId != user.Value))
        {
            return new PoolCapacity(services.Count, null);
        }

        var said = reports.DistinctBy(report => report.Service).ToDictionary(report => report.Service.Value);
        var working = services.Where(service => HealthOf(service) > 0).ToList();
        ServiceCapacity[] kinds = [.. working.GroupBy(service => (service.PerMinute, service.PerHour, service.PerDay, service.Limits, HealthOf(service))).Select(Kind)];
        return new PoolCapacity(services.Count, kinds)
        {
            Broken = services.Count - working.Count,
            Others = OthersThan(
                standing.Task.Id, user,
                await connection.QueryToListAsync<WorkRow>(
                    """
                    SELECT t.id, t.user_id, u.weight, t.priority, t.planned, t.cap, t.sent + t.failed + t.skipped + t.unknown AS done
                    FROM tasks t JOIN users u ON u.id = t.user_id WHERE t.pool_id = @pool AND (t.state = 'running' OR t.id = @task)
                    """,
                    cancellation, pool, new DataParameter("task", standing.Task.Id.Value))),
            Shares = await SharesAsync(connection, standing.Task, [.. kinds.SelectMany(kind => kind.Capped)], cancellation),
        };

        double HealthOf(ServiceRow service) => said.GetValueOrDefault(service.Id)?.Health ?? 1;

        ServiceCapacity Kind(IGrouping<(int? PerMinute, int? PerHour, int? PerDay, string? Limits, double Health), ServiceRow> kind)
        {
            var today = kind.Select(service => said.GetValueOrDefault(service.Id)?.LeftToday).ToList();
            return new ServiceCapacity(
                today.Count, kind.Key.PerMinute, LimitsReader.Read(kind.Key.PerHour, kind.Key.PerDay, LimitsReader.Parse(kind.Key.Limits)), today.Contains(null) ? null : today.Sum(),
                kind.Key.Health);
        }
    }

    private static OtherWork OthersThan(TaskId task, UserId user, List<WorkRow> work) => work.Find(row => row.Id == task.Value) is not { } own
        ? OtherWork.None
        : new OtherWork(
            own.Weight, own.Priority, [.. work.Where(row => row.UserId == user.Value && row != own && row.Open > 0).Select(row => (row.Priority, (long)row.Open))],
            [.. work.Where(row => row.UserId != user.Value && row.Open > 0).GroupBy(row => row.UserId).Select(rows => (rows.First().Weight, rows.Sum(row => (long)row.Open)))]);

    /// <summary>Looks at recipients at even distances in the audience, always the same ones, and of those at the ones that can still get a mail.</summary>
    private static async Task<IReadOnlyDictionary<MailboxProvider, double>> SharesAsync(
        EdmConnection connection, TaskRecord task, HashSet<MailboxProvider> capped, CancellationToken cancellation)
    {
        var open = new List<MailboxProvider>();
        if (capped.Count > 0)
        {
            var size = Math.Min(task.Planned, SampleSize);
            var batch = new SqlBatch(connection);
            await batch.Read(
                $"""
                 SELECT c.email FROM audience a JOIN contacts c ON c.id = a.contact_id LEFT JOIN deliveries d ON d.task_id = a.task_id AND d.seq = a.seq
                 WHERE a.task_id = @task AND a.seq {batch.In("@seqs")} AND c.email IS NOT NULL AND (d.state IS NULL OR d.state IN ('waiting', 'pending-retry'))
                 """,
                row => open.Add(MailboxProviders.Of(row.GetString(0))),
                ("@task", task.Id.Value), ("@seqs", Enumerable.Range(0, size).Select(nr => (int)((long)nr * task.Planned / size) + 1).ToArray())).ExecuteAsync(cancellation);
        }

        return open.Where(capped.Contains).GroupBy(provider => provider).ToDictionary(same => same.Key, same => (double)same.Count() / open.Count);
    }

    private sealed class ServiceRow
    {
        [Column] public long Id { get; init; }
        [Column] public long UserId { get; init; }
        [Column] public int? PerMinute { get; init; }
        [Column] public int? PerHour { get; init; }
        [Column] public int? PerDay { get; init; }
        [Column] public string? Limits { get; init; }
    }

    private sealed class WorkRow
    {
        [Column] public long Id { get; init; }
        [Column] public long UserId { get; init; }
        [Column] public int Weight { get; init; }
        [Column] public int Priority { get; init; }
        [Column] public int Planned { get; init; }
        [Column] public int? Cap { get; init; }
        [Column] public int Done { get; init; }

        /// <summary>Recipients that can still get a mail.</summary>
        public int Open => Math.Max(0, Math.Min(Planned, Cap ?? Planned) - Done);
    }
}
