using System.Text.RegularExpressions;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Users;

public sealed partial class UserStore(EdmDatabase database, TimeProvider time)
{
    /// <summary>Rows deleted in one transaction: on SQLite a transaction holds up all other writers.</summary>
    private const int DeleteChunk = 5_000;

    // What refers to a pool or template without cascading goes before it.
    private static readonly string[] Owned = ["dead_addresses", "tasks", "campaigns", "templates", "services", "pools"];

    /// <exception cref="FieldException">The name is not 1 to 64 letters, digits, dots, dashes, underscores or @.</exception>
    /// <exception cref="ConflictException">The name is taken.</exception>
    public async Task<User> CreateAsync(string name, UserRole role, CancellationToken cancellation)
    {
        if (!NamePattern().IsMatch(name))
        {
            throw new FieldException("name", "A user's name is 1 to 64 letters, digits, dots, dashes, underscores or @.");
        }

        return await database.WriteAsync(
            async connection =>
            {
                if (await connection.GetTable<UserRow>().AnyAsync(row => row.Name == name, cancellation))
                {
                    throw NameTaken(name);
                }

                return await InsertAsync(connection, name, role, cancellation);
            },
            cancellation);
    }

    public Task<User?> FindAsync(UserId id, CancellationToken cancellation) =>
        database.RunAsync(async connection => (await connection.GetTable<UserRow>().FirstOrDefaultAsync(row => row.Id == id.Value, cancellation))?.ToUser(), cancellation);

    public Task<User?> FindByNameAsync(string name, CancellationToken cancellation) =>
        database.RunAsync(async connection => (await connection.GetTable<UserRow>().FirstOrDefaultAsync(row => row.Name == name, cancellation))?.ToUser(), cancellation);

    /// <returns>At most <paramref name="limit"/> users with ids above <paramref name="after"/>, ascending.</returns>
    public Task<IReadOnlyList<User>> ListAsync(UserId after, int limit, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<User>>(
            async connection =>
            {
                var rows = await connection.GetTable<UserRow>().Where(row => row.Id > after.Value).OrderBy(row => row.Id).Take(limit).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToUser())];
            },
            cancellation);

    /// <summary>Changes a user's share among the users who send through the same lane.</summary>
    /// <returns>Null when there is no such user.</returns>
    /// <exception cref="FieldException">The weight is not from 1 to 100.</exception>
    public Task<User?> SetWeightAsync(UserId id, int weight, CancellationToken cancellation)
    {
        if (weight is < 1 or > User.MaxWeight)
        {
            throw new FieldException("weight", $"{weight} is not from 1 to {User.MaxWeight}.");
        }

        return database.WriteAsync(
            async connection =>
            {
                await connection.GetTable<UserRow>().Where(row => row.Id == id.Value).Set(row => row.Weight, weight).UpdateAsync(cancellation);
                return (await connection.GetTable<UserRow>().FirstOrDefaultAsync(row => row.Id == id.Value, cancellation))?.ToUser();
            },
            cancellation);
    }

    /// <summary>The weights that are not the default.</summary>
    public Task<IReadOnlyDictionary<UserId, int>> WeightsAsync(CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyDictionary<UserId, int>>(
            async connection => (await connection.GetTable<UserRow>().Where(row => row.Weight != User.DefaultWeight).Select(row => new { row.Id, row.Weight }).ToListAsync(cancellation))
                .ToDictionary(row => new UserId(row.Id), row => row.Weight),
            cancellation);

    /// <summary>
    /// Deletes the user with everything that is its own. Its keys stop first; then its rows go in small transactions, so that nobody else waits; a
    /// deletion that breaks off is finished by asking again.
    /// </summary>
    /// <returns>False when there is no such user.</returns>
    /// <exception cref="ConflictException">It is the last administrator, has a task that is not finished, or others send through its pools.</exception>
    public async Task<bool> DeleteAsync(UserId id, CancellationToken cancellation)
    {
        var found = await database.WriteAsync(
            async connection =>
            {
                if (await connection.GetTable<UserRow>().FirstOrDefaultAsync(row => row.Id == id.Value, cancellation) is not { } user)
                {
                    return false;
                }

                await RefuseNeededAsync(connection, user, cancellation);
                await connection.GetTable<ApiKeyRow>().DeleteAsync(row => row.UserId == id.Value, cancellation);
                return true;
            },
            cancellation);
        if (!found)
        {
            return false;
        }

        await DeleteInChunksAsync("DELETE FROM deliveries WHERE (task_id, seq) IN (SELECT task_id, seq FROM deliveries WHERE user_id = @user LIMIT @chunk)", id, cancellation);
        await DeleteInChunksAsync(
            "DELETE FROM audience WHERE (task_id, seq) IN (SELECT a.task_id, a.seq FROM audience a JOIN tasks t ON t.id = a.task_id WHERE t.user_id = @user LIMIT @chunk)",
            id,
            cancellation);
        await DeleteInChunksAsync("DELETE FROM contacts WHERE id IN (SELECT id FROM contacts WHERE user_id = @user LIMIT @chunk)", id, cancellation);
        await database.WriteAsync(
            async connection =>
            {
                foreach (var table in Owned)
                {
                    await connection.ExecuteAsync($"DELETE FROM {table} WHERE user_id = @user", cancellation, new DataParameter("user", id.Value));
                }

                await connection.GetTable<UserRow>().DeleteAsync(row => row.Id == id.Value, cancellation);
            },
            cancellation);
        return true;
    }

    internal async Task<User> InsertAsync(EdmConnection connection, string name, UserRole role, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var row = new UserRow { Name = name, Role = UserRow.RoleName(role), CreatedAt = now.ToUnixTimeMilliseconds() };
        try
        {
            var id = await connection.InsertWithInt64IdentityAsync(row, token: cancellation);
            return new User(new UserId(id), name, role, DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt));
        }
        catch (Exception exception) when (StorageFaults.IsDuplicate(exception))
        {
            throw NameTaken(name);
        }
    }

    private static ConflictException NameTaken(string name) => new($"There is already a user '{name}'.", "name");

    private static async Task RefuseNeededAsync(EdmConnection connection, UserRow user, CancellationToken cancellation)
    {
        if (user.Role == UserRow.Admin && !await connection.GetTable<UserRow>().AnyAsync(row => row.Role == UserRow.Admin && row.Id != user.Id, cancellation))
        {
            throw new ConflictException($"'{user.Name}' is the last administrator. Make another one first.");
        }

        var parameter = new DataParameter("user", user.Id);
        var open = await connection.ExecuteAsync<long>(
            "SELECT count(*) FROM tasks WHERE user_id = @user AND state IN ('launching', 'running', 'paused')", cancellation, parameter);
        if (open > 0)
        {
            throw new ConflictException($"'{user.Name}' has {open} tasks that are not finished. Cancel them first.");
        }

        var borrowed = await connection.ExecuteAsync<long>(
            "SELECT count(*) FROM campaigns c JOIN pools p ON p.id = c.pool_id WHERE p.user_id = @user AND c.user_id <> @user", cancellation, parameter);
        if (borrowed > 0)
        {
            throw new ConflictException($"{borrowed} campaigns of other users send through pools of '{user.Name}'.");
        }
    }

    private async Task DeleteInChunksAsync(string sql, UserId user, CancellationToken cancellation)
    {
        int deleted;
        do
        {
            deleted = await database.WriteAsync(
                connection => connection.ExecuteAsync(sql, cancellation, new DataParameter("user", user.Value), new DataParameter("chunk", DeleteChunk)),
                cancellation);
        }
        while (deleted > 0);
    }

    [GeneratedRegex("^[A-Za-z0-9._@-]{1,64}$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
