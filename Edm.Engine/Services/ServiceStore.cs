using System.Linq.Expressions;
using Edm.Contracts;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Services;

/// <summary>A user's mail services. Another user's service is answered like one that does not exist. After a change the lane must be told, see <see cref="ServicesChanged"/>.</summary>
public sealed class ServiceStore(EdmDatabase database, SecretBox secrets, TimeProvider time) : ILaneServices
{
    /// <summary>Makes a service in the least filled lane of the pool, where it stays for ever.</summary>
    /// <returns>Null when the user has no such pool.</returns>
    /// <exception cref="FieldException">A value can't be used.</exception>
    /// <exception cref="ConflictException">The user has a service of this name.</exception>
    public async Task<Service?> CreateAsync(UserId user, PoolId pool, ServiceDraft draft, CancellationToken cancellation = default)
    {
        ServiceChecks.Check(draft);
        if (draft.Username is not null && draft.Password is null)
        {
            throw new FieldException("password", "A user name needs a password.");
        }

        return await Unique(draft.Name, database.WriteAsync(
            async connection =>
            {
                // Takes the pool's lock first, so that two services made at once see each other's lane, and the pool stays.
                var own = connection.GetTable<PoolRow>().Where(row => row.Id == pool.Value && row.UserId == user.Value);
                if (await own.Set(row => row.Lanes, row => row.Lanes).UpdateAsync(cancellation) == 0)
                {
                    return null;
                }

                var lane = await LeastFilledLaneAsync(connection, await own.SingleAsync(cancellation), cancellation);
                var now = Now;
                var row = new ServiceRow
                {
                    UserId = user.Value,
                    PoolId = pool.Value,
                    Lane = lane,
                    Name = draft.Name,
                    Kind = ServiceRow.Of(draft.Kind),
                    Host = draft.Host ?? "",
                    Port = Port(draft),
                    Tls = ServiceRow.Of(draft.Tls),
                    Username = draft.Username,
                    Password = Lock(user, draft.Password),
                    SenderAddress = draft.SenderAddress,
                    SenderName = draft.SenderName,
                    Login = ServiceRow.Of(draft.Login),
                    PerMinute = draft.PerMinute,
                    PerHour = draft.PerHour,
                    PerDay = draft.PerDay,
                    Limits = LimitsReader.Write(draft.Limits),
                    Connections = draft.Connections,
                    Enabled = draft.Enabled,
                    Version = 1,
                    CreatedAt = now,
                    UpdatedAt = now,
                };
                var id = await connection.InsertWithInt64IdentityAsync(row, token: cancellation);
                return row.ToService() with { Id = new ServiceId(id) };
            },
            cancellation));
    }

    /// <returns>Null when the user has no such service.</returns>
    /// <inheritdoc cref="CreateAsync"/>
    public async Task<Service?> ChangeAsync(UserId user, ServiceId service, ServiceDraft draft, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draft);
        return await Unique(draft.Name, database.WriteAsync(
            async connection =>
            {
                var own = Own(connection, user, service);
                if (await own.Set(row => row.UpdatedAt, Now).UpdateAsync(cancellation) == 0)
                {
                    return null;
                }

                var before = await own.SingleAsync(cancellation);
                var checkedDraft = draft with { Kind = before.KindValue };
                ServiceChecks.Check(checkedDraft);
                var host = draft.Host ?? "";
                if (draft.Username is not null && draft.Password is null
                    && (before.Password is null || before.Username != draft.Username || !string.Equals(before.Host, host, StringComparison.OrdinalIgnoreCase)))
                {
                    throw new FieldException("password", "With another host or user name the password must be given again.");
                }

                if (before.DkimDomain is { } signing && !DkimChecks.IsAligned(signing, draft.SenderAddress))
                {
                    throw new FieldException(
                        "senderAddress", $"The service signs for {signing} (DKIM), which says nothing about this sender. Set another signing domain or take the key away first.");
                }

                var password = draft.Username is null ? null : Lock(user, draft.Password) ?? before.Password;
                await own
                    .Set(row => row.Name, draft.Name)
                    .Set(row => row.Host, host)
                    .Set(row => row.Port, Port(checkedDraft))
                    .Set(row => row.Tls, ServiceRow.Of(draft.Tls))
                    .Set(row => row.Username, draft.Username)
                    .Set(row => row.Password, password)
                    .Set(row => row.SenderAddress, draft.SenderAddress)
                    .Set(row => row.SenderName, draft.SenderName)
                    .Set(row => row.Login, ServiceRow.Of(draft.Login))
                    .Set(row => row.PerMinute, draft.PerMinute)
                    .Set(row => row.PerHour, draft.PerHour)
                    .Set(row => row.PerDay, draft.PerDay)
                    .Set(row => row.Limits, LimitsReader.Write(draft.Limits))
                    .Set(row => row.Connections, draft.Connections)
                    .Set(row => row.Enabled, draft.Enabled)
                    .Set(row => row.Version, row => row.Version + 1)
                    .UpdateAsync(cancellation);
                return (await own.SingleAsync(cancellation)).ToService();
            },
            cancellation));
    }

    /// <returns>Null when the user has no such service.</returns>
    public Task<Service?> EnableAsync(UserId user, ServiceId service, bool enabled, CancellationToken cancellation = default) =>
        UpdateAsync(user, service, row => row.Enabled, enabled, cancellation);

    /// <summary>The name is free again; the row stays, because deliveries name it. Its password and its signing key are forgotten.</summary>
    /// <returns>The service as it was, null when the user has no such service.</returns>
    public async Task<Service?> DeleteAsync(UserId user, ServiceId service, CancellationToken cancellation = default) =>
        await database.WriteAsync(
            async connection =>
            {
                var before = await Own(connection, user, service).SingleOrDefaultAsync(cancellation);
                return before is not null && await Own(connection, user, service)
                    .Set(row => row.DeletedAt, Now).Set(row => row.Password, (byte[]?)null).Set(row => row.DkimKey, (byte[]?)null).Set(row => row.Version, row => row.Version + 1).UpdateAsync(cancellation) > 0
                        ? before.ToService()
                        : null;
            },
            cancellation);

    /// <returns>Null when the user has no such service.</returns>
    public Task<Service?> GetAsync(UserId user, ServiceId service, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await Own(connection, user, service).SingleOrDefaultAsync(cancellation))?.ToService(), cancellation);

    /// <summary>With the password in clear, for a test of the service.</summary>
    /// <returns>Null when the user has no such service.</returns>
    public Task<ServiceSettings?> GetSettingsAsync(UserId user, ServiceId service, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => (await Own(connection, user, service).SingleOrDefaultAsync(cancellation))?.ToSettings(secrets), cancellation);

    /// <param name="pool">Null: of all pools.</param>
    /// <returns>At most <paramref name="limit"/> with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<Service>> ListAsync(UserId user, PoolId? pool, ServiceId after, int limit, CancellationToken cancellation = default) =>
        database.RunAsync<IReadOnlyList<Service>>(
            async connection =>
            {
                var own = connection.GetTable<ServiceRow>().Where(row => row.UserId == user.Value && row.DeletedAt == null && row.Id > after.Value);
                if (pool is { } wanted)
                {
                    own = own.Where(row => row.PoolId == wanted.Value);
                }

                var rows = await own.OrderBy(row => row.Id).Take(limit).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToService())];
            },
            cancellation);

    /// <exception cref="StorageException">A password was stored under another master key.</exception>
    public Task<IReadOnlyList<ServiceSettings>> LoadAsync(LaneId lane, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<ServiceSettings>>(
            async connection =>
            {
                var rows = await connection.GetTable<ServiceRow>()
                    .Where(row => row.PoolId == lane.Pool.Value && row.Lane == lane.Lane && row.DeletedAt == null).OrderBy(row => row.Id).ToListAsync(cancellation);
                var weights = await connection.GetTable<PoolRow>().Where(row => row.Id == lane.Pool.Value).Select(row => row.Weights).SingleOrDefaultAsync(cancellation);
                return [.. rows.Select(row => row.ToSettings(secrets) with { Weights = PoolRow.Read(weights) })];
            },
            cancellation);

    public Task SetLastErrorAsync(ServiceId service, string? error, CancellationToken cancellation)
    {
        var words = error is null ? null : ReplyText.Clean(error);
        return database.RunAsync(
            connection => (Task)connection.GetTable<ServiceRow>().Where(row => row.Id == service.Value).Set(row => row.LastError, words).UpdateAsync(cancellation),
            cancellation);
    }

    /// <summary>For the start: better no start than lanes that can't log in.</summary>
    /// <exception cref="StorageException">A password was stored under another master key; the message says what to do.</exception>
    public async Task CheckMasterKeyAsync(CancellationToken cancellation = default)
    {
        var row = await database.RunAsync(
            connection => connection.GetTable<ServiceRow>().Where(row => row.Password != null || row.DkimKey != null).OrderByDescending(row => row.Id).FirstOrDefaultAsync(cancellation), cancellation);
        row?.ToSettings(secrets);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static int Port(ServiceDraft draft) => draft switch
    {
        { Kind: ServiceKind.Sandbox } => 0,
        { Port: { } port } => port,
        { Tls: TlsMode.Implicit } => 465,
        _ => 587,
    };

    private byte[]? Lock(UserId user, string? password) => password is null ? null : secrets.Lock(password, ServiceRow.Owner(user.Value));

    private static async Task<int> LeastFilledLaneAsync(EdmConnection connection, PoolRow pool, CancellationToken cancellation)
    {
        var filled = await connection.GetTable<ServiceRow>().Where(row => row.PoolId == pool.Id && row.DeletedAt == null)
            .GroupBy(row => row.Lane).Select(lane => new { Lane = lane.Key, Count = lane.Count() }).ToDictionaryAsync(lane => lane.Lane, lane => lane.Count, cancellation);
        return Enumerable.Range(0, pool.Lanes).MinBy(lane => filled.GetValueOrDefault(lane));
    }

    private async Task<Service?> UpdateAsync<T>(UserId user, ServiceId service, Expression<Func<ServiceRow, T>> column, T value, CancellationToken cancellation) =>
        await database.WriteAsync(
            async connection => await Own(connection, user, service)
                .Set(column, value).Set(row => row.UpdatedAt, Now).Set(row => row.Version, row => row.Version + 1).UpdateAsync(cancellation) > 0
                    ? (await Own(connection, user, service).SingleAsync(cancellation)).ToService()
                    : null,
            cancellation);

    private static IQueryable<ServiceRow> Own(EdmConnection connection, UserId user, ServiceId service) =>
        connection.GetTable<ServiceRow>().Where(row => row.Id == service.Value && row.UserId == user.Value && row.DeletedAt == null);

    private static async Task<T> Unique<T>(string name, Task<T> write)
    {
        try
        {
            return await write;
        }
        catch (Exception exception) when (StorageFaults.IsDuplicate(exception))
        {
            throw new ConflictException($"You have a service '{name}' already. Choose another name, or change that one.", "name");
        }
    }
}
