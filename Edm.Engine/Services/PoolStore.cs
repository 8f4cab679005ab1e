using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Services;

/// <summary>A user's pools. Another user's pool is answered like one that does not exist, unless it is shared and only used.</summary>
public sealed class PoolStore(EdmDatabase database, TimeProvider time)
{
    /// <exception cref="FieldException">The name or the number of lanes can't be used.</exception>
    /// <exception cref="ConflictException">The user has a pool of this name.</exception>
    public async Task<Pool> CreateAsync(UserId user, PoolDraft draft, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draft);
        ServiceChecks.Name("name", draft.Name);
        ServiceChecks.Range("lanes", draft.Lanes, 1, ServiceChecks.MaxLanes);
        var row = new PoolRow { UserId = user.Value, Name = draft.Name, Lanes = draft.Lanes, CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds() };
        var id = await Unique(draft.Name, database.RunAsync(connection => connection.InsertWithInt64IdentityAsync(row, token: cancellation), cancellation));
        return row.ToPool() with { Id = new PoolId(id) };
    }

    /// <returns>Null when the user has no such pool.</returns>
    /// <inheritdoc cref="CreateAsync"/>
    public async Task<Pool?> RenameAsync(UserId user, PoolId pool, string name, CancellationToken cancellation = default)
    {
        ServiceChecks.Name("name", name);
        var changed = await Unique(name, database.RunAsync(
            connection => connection.GetTable<PoolRow>().Where(row => row.Id == pool.Value && row.UserId == user.Value).Set(row => row.Name, name).UpdateAsync(cancellation),
            cancellation));
        return changed > 0 ? await GetAsync(user, pool, cancellation) : null;
    }

    /// <summary>How its services are chosen from now on. The lanes must be told, see <see cref="ServicesChanged"/>.</summary>
    /// <returns>Null when the user has no such pool.</returns>
    /// <exception cref="FieldException">A weight can't be used.</exception>
    public async Task<Pool?> WeighAsync(UserId user, PoolId pool, SelectionWeights weights, CancellationToken cancellation = default)
    {
        ServiceChecks.Weights(weights);
        var stored = PoolRow.Write(weights);
        var changed = await database.RunAsync(
            connection => connection.GetTable<PoolRow>().Where(row => row.Id == pool.Value && row.UserId == user.Value).Set(row => row.Weights, stored).UpdateAsync(cancellation),
            cancellation);
        return changed > 0 ? await GetAsync(user, pool, cancellation) : null;
    }

    /// <summary>An administrator's decision, for any user's pool.</summary>
    /// <returns>False when there is no such pool.</returns>
    public Task<bool> ShareAsync(PoolId pool, bool shared, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => await connection.GetTable<PoolRow>().Where(row => row.Id == pool.Value).Set(row => row.Shared, shared).UpdateAsync(cancellation) > 0,
            cancellation);

    /// <returns>Null when the user has no such pool.</returns>
    public Task<Pool?> GetAsync(UserId user, PoolId pool, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => (await connection.GetTable<PoolRow>().SingleOrDefaultAsync(row => row.Id == pool.Value && row.UserId == user.Value, cancellation))?.ToPool(),
            cancellation);

    /// <summary>Whoever owns it: for the engine and for administrators.</summary>
    /// <returns>Null when there is no such pool.</returns>
    public Task<Pool?> FindAsync(PoolId pool, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await connection.GetTable<PoolRow>().SingleOrDefaultAsync(row => row.Id == pool.Value, cancellation))?.ToPool(), cancellation);

    /// <returns>The user's own pools, at most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<Pool>> ListAsync(UserId user, PoolId after, int limit, CancellationToken cancellation = default) =>
        database.RunAsync<IReadOnlyList<Pool>>(
            async connection =>
            {
                var rows = await connection.GetTable<PoolRow>()
                    .Where(row => row.UserId == user.Value && row.Id > after.Value).OrderBy(row => row.Id).Take(limit).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToPool())];
            },
            cancellation);

    /// <returns>The pools that the user may send through, own and shared, at most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<UsablePool>> ListUsableAsync(UserId user, PoolId after, int limit, CancellationToken cancellation = default) =>
        database.RunAsync<IReadOnlyList<UsablePool>>(
            async connection => await Usable(connection, user).Where(pool => pool.Key > after.Value).OrderBy(pool => pool.Key).Take(limit)
                .Select(pool => pool.ToUsable()).ToListAsync(cancellation),
            cancellation);

    /// <returns>Null when the user may not send through it, or there is no such pool.</returns>
    public Task<UsablePool?> GetUsableAsync(UserId user, PoolId pool, CancellationToken cancellation = default) =>
        database.RunAsync(
            async connection => await Usable(connection, user).Where(usable => usable.Key == pool.Value)
                .Select(usable => usable.ToUsable()).SingleOrDefaultAsync(cancellation),
            cancellation);

    /// <returns>False when the user has no such pool.</returns>
    /// <exception cref="ConflictException">It has services, or campaigns use it.</exception>
    public Task<bool> DeleteAsync(UserId user, PoolId pool, CancellationToken cancellation = default) =>
        database.WriteAsync(
            async connection =>
            {
                // Takes the row's lock first, so that no service comes in meanwhile.
                var own = connection.GetTable<PoolRow>().Where(row => row.Id == pool.Value && row.UserId == user.Value);
                if (await own.Set(row => row.Shared, row => row.Shared).UpdateAsync(cancellation) == 0)
                {
                    return false;
                }

                if (await connection.GetTable<ServiceRow>().AnyAsync(row => row.PoolId == pool.Value && row.DeletedAt == null, cancellation))
                {
                    throw new ConflictException("The pool has services. Delete them first.");
                }

                var used = await connection.ExecuteAsync<long>("SELECT count(*) FROM campaigns WHERE pool_id = @pool", cancellation, new DataParameter("pool", pool.Value))
                    + await connection.ExecuteAsync<long>("SELECT count(*) FROM tasks WHERE pool_id = @pool", cancellation, new DataParameter("pool", pool.Value));
                if (used > 0)
                {
                    throw new ConflictException("Campaigns use the pool, and their history names it. Rename it, and disable its services instead.");
                }

                await connection.GetTable<ServiceRow>().DeleteAsync(row => row.PoolId == pool.Value, cancellation);
                return await own.DeleteAsync(cancellation) > 0;
            },
            cancellation);

    private static IQueryable<UsableRow> Usable(EdmConnection connection, UserId user) =>
        from pool in connection.GetTable<PoolRow>()
        where pool.UserId == user.Value || pool.Shared
        select new UsableRow
        {
            Key = pool.Id,
            Name = pool.Name,
            Own = pool.UserId == user.Value,
            Shared = pool.Shared,
            Lanes = pool.Lanes,
            Weights = pool.Weights,
            Enabled = connection.GetTable<ServiceRow>().Any(service => service.PoolId == pool.Id && service.Enabled && service.DeletedAt == null),
        };

    private static async Task<T> Unique<T>(string name, Task<T> write)
    {
        try
        {
            return await write;
        }
        catch (Exception exception) when (StorageFaults.IsDuplicate(exception))
        {
            throw new ConflictException($"You have a pool '{name}' already. Choose another name.", "name");
        }
    }

    private sealed class UsableRow
    {
        public long Key { get; init; }
        public required string Name { get; init; }
        public bool Own { get; init; }
        public bool Shared { get; init; }
        public int Lanes { get; init; }
        public bool Enabled { get; init; }
        public string? Weights { get; init; }

        public UsablePool ToUsable() => new(new PoolId(Key), Name, Own, Shared, Lanes, Enabled, PoolRow.Read(Weights));
    }
}
