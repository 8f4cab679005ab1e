using System.Globalization;
using Npgsql;

namespace Edm.Benchmarks.Scale;

/// <summary>
/// Many users, each with contacts, a campaign and a frozen task of its own, written straight into PostgreSQL: through the API ten thousand of them would take longer than all
/// that is measured. What is written is what the API would have written; from the launch on the daemon does everything itself.
/// </summary>
internal sealed class Crowd
{
    private static int crowds;

    private readonly NpgsqlDataSource database;
    private readonly string name;
    private readonly long pool;

    private Crowd(NpgsqlDataSource database, string name, long pool) => (this.database, this.name, this.pool) = (database, name, pool);

    /// <summary>Their contacts are the first ones that were imported, each of them once.</summary>
    /// <param name="template">Any user's, in its first version.</param>
    public static async Task<Crowd> CreateAsync(NpgsqlDataSource database, int users, int mailsAUser, long template, long pool)
    {
        var crowd = new Crowd(database, string.Create(CultureInfo.InvariantCulture, $"crowd {++crowds}"), pool);
        await crowd.ExecuteAsync(
            """
            INSERT INTO users (name, role, created_at) SELECT @name || ' ' || n, 'user', 0 FROM generate_series(1, @users) n;

            INSERT INTO contact_books (user_id, next_ordinal, contacts) SELECT id, @each, @each FROM users WHERE name LIKE @name || ' %';

            INSERT INTO contact_chunks (user_id, chunk, live, version, activity)
            SELECT user_id, chunk, decode(rpad(repeat('ff', bits / 8) || CASE WHEN bits % 8 > 0 THEN lpad(to_hex((1 << (bits % 8)) - 1), 2, '0') ELSE '' END, 2048, '0'), 'hex'), 1, 0
            FROM (SELECT id AS user_id, chunk, least(8192, @each - chunk * 8192) AS bits FROM users, generate_series(0, (@each - 1) / 8192) chunk WHERE name LIKE @name || ' %') filled;

            INSERT INTO contacts (user_id, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at, ordinal)
            SELECT u.id, c.email, c.email_key, c.handle, c.nickname, c.followers, c.country, c.language, c.category, c.bio, c.attributes, 'active', 0, 0, (c.n - 1) % @each
            FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM contacts WHERE user_id = (SELECT min(user_id) FROM contacts)) c
            JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users WHERE name LIKE @name || ' %') u ON u.n = (c.n - 1) / @each + 1;

            INSERT INTO campaigns (user_id, name, template_id, pool_id, state, created_at)
            SELECT id, @name, @template, @pool, 'launched', 0 FROM users WHERE name LIKE @name || ' %';

            INSERT INTO tasks (user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at)
            SELECT user_id, id, 1, template_id, 1, pool_id, 1, @each, 'frozen', 0 FROM campaigns WHERE name = @name;

            INSERT INTO audience (task_id, seq, contact_id, campaign_id, round)
            SELECT t.id, c.ordinal + 1, c.id, t.campaign_id, 1
            FROM tasks t JOIN campaigns k ON k.id = t.campaign_id AND k.name = @name JOIN contacts c ON c.user_id = t.user_id;
            """,
            new("name", crowd.name), new("users", users), new("each", mailsAUser), new("template", template), new("pool", pool));

        // What the database does for itself after so many new rows would fall into what is measured, now and then.
        await crowd.ExecuteAsync("VACUUM (ANALYZE)");
        return crowd;
    }

    /// <summary>Every task is put to work; returns when all are at their queues. While no service of the pool may send, nothing is sent yet.</summary>
    public async Task LaunchAsync()
    {
        await ExecuteAsync(
            "UPDATE tasks SET state = 'launching', launched_at = @now FROM campaigns k WHERE k.id = campaign_id AND k.name = @name",
            new("now", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()), new("name", name));
        await UntilNoneAsync("launching");
    }

    /// <summary>Returns when the database says that every task is finished, a moment after the queues said so.</summary>
    public Task FinishedAsync() => UntilNoneAsync("running");

    /// <exception cref="TimeoutException">They are not.</exception>
    private async Task UntilNoneAsync(string state)
    {
        // Asking costs the database next to nothing, as it is part of what is measured: it stops at the first task that is found.
        await using var any = database.CreateCommand("SELECT EXISTS (SELECT FROM tasks WHERE state = @state AND pool_id = @pool)");
        any.Parameters.AddWithValue("state", state);
        any.Parameters.AddWithValue("pool", pool);
        for (var watch = System.Diagnostics.Stopwatch.StartNew(); (bool)(await any.ExecuteScalarAsync())!; await Task.Delay(250))
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(10))
            {
                throw new TimeoutException($"There are still tasks of {name} that are {state}.");
            }
        }
    }

    /// <summary>Mails that were sent, of all tasks.</summary>
    public async Task<long> SentAsync()
    {
        await using var sum = database.CreateCommand("SELECT coalesce(sum(sent), 0) FROM tasks t JOIN campaigns k ON k.id = t.campaign_id WHERE k.name = @name");
        sum.Parameters.AddWithValue("name", name);
        return (long)(await sum.ExecuteScalarAsync())!;
    }

    private async Task ExecuteAsync(string statements, params NpgsqlParameter[] parameters)
    {
        await using var command = database.CreateCommand(statements);
        command.CommandTimeout = 600;
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync();
    }
}
