using Akka.Actor;
using Akka.Coordination;
using Akka.DependencyInjection;
using LinqToDB.Data;

namespace Edm.Engine.Storage;

/// <summary>
/// Which part of a cluster that fell apart may go on: the one that gets a row in the database. All nodes need the database to send at all, so it decides
/// in every case, also when one of two nodes dies. It is held for the seconds of one decision and released; the owner of a row that was
/// not released is gone, and the row is free again after <see cref="TimeoutSettings.HeartbeatTimeout"/>.
/// </summary>
public sealed class PostgresLease(LeaseSettings settings, ExtendedActorSystem system) : Lease(settings)
{
    private readonly EdmDatabase database = DependencyResolver.For(system).Resolver.GetService<EdmDatabase>();
    private volatile bool held;

    public override async Task<bool> Acquire() =>
        held = await database.RunAsync(connection => connection.ExecuteAsync<long>(
            """
            WITH now AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms), taken AS (
              INSERT INTO leases (name, owner, renewed_at) SELECT @name, @owner, ms FROM now
              ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, renewed_at = excluded.renewed_at
                WHERE leases.owner = excluded.owner OR leases.renewed_at < excluded.renewed_at - @timeout
              RETURNING 1)
            SELECT count(*) FROM taken
            """,
            new DataParameter("name", Settings.LeaseName),
            new DataParameter("owner", Settings.OwnerName),
            new DataParameter("timeout", (long)Settings.TimeoutSettings.HeartbeatTimeout.TotalMilliseconds))) > 0;

    // The resolver holds the lease for one decision only; it can't be lost in that time.
    public override Task<bool> Acquire(Action<Exception> leaseLostCallback) => Acquire();

    public override async Task<bool> Release()
    {
        await database.RunAsync(connection => connection.ExecuteAsync(
            "DELETE FROM leases WHERE name = @name AND owner = @owner",
            new DataParameter("name", Settings.LeaseName), new DataParameter("owner", Settings.OwnerName)));
        held = false;
        return true;
    }

    public override bool CheckLease() => held;
}
