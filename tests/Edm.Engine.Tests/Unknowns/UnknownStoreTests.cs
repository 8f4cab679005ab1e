using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Unknowns;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Unknowns;

public sealed class UnknownStoreTestsOnSqlite() : UnknownStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class UnknownStoreTestsOnPostgres(PostgresFixture postgres) : UnknownStoreTests(new PostgresDatabases(postgres));

public abstract class UnknownStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly SecretBox Secrets = new(new byte[MasterKey.Length]);

    private UserId user;

    private UnknownStore Store => new(Database, Secrets);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        user = await AddUserAsync();
        await Database.RunAsync(connection => connection.ExecuteAsync(
            """
            INSERT INTO pools (id, user_id, name, lanes, created_at) VALUES (1, @user, 'p', 1, 0);
            INSERT INTO templates (id, user_id, name, version, created_at, updated_at) VALUES (1, @user, 't', 1, 0, 0);
            INSERT INTO campaigns (id, user_id, name, template_id, pool_id, state, created_at) VALUES (1, @user, 'spring', 1, 1, 'launched', 0);
            INSERT INTO tasks (id, user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at)
              VALUES (1, @user, 1, 1, 1, 1, 1, 1, 5, 'running', 0), (2, @user, 1, 2, 1, 1, 1, 1, 5, 'running', 0);
            INSERT INTO deliveries (task_id, seq, user_id, state, attempts, service_id, reason, first_at, last_at) VALUES
              (1, 1, @user, 'sent', 1, 7, NULL, 1, 2), (1, 3, @user, 'unknown', 1, 7, 'cut off', 1, 2000), (1, 5, @user, 'unknown', 1, 8, NULL, 1, 3000),
              (2, 1, @user, 'unknown', 1, NULL, NULL, 1, 4000), (2, 2, @user, 'failed', 1, 7, NULL, 1, 2);
            """,
            new DataParameter("user", user.Value)));
    }

    [Fact]
    public async Task They_are_listed_over_all_tasks_page_by_page_and_counted()
    {
        var first = await Store.PageAsync(user, default, 2, default);
        var last = await Store.PageAsync(user, new UnknownMark(first[1].Task, first[1].Seq), 2, default);

        Assert.Equal(["1.3", "1.5", "2.1"], first.Concat(last).Select(one => new UnknownMark(one.Task, one.Seq).ToString()));
        Assert.Equal(
            ("spring", new ServiceId(7), DateTimeOffset.FromUnixTimeMilliseconds(2000), "cut off"), (first[0].Campaign, first[0].Service!.Value, first[0].At, first[0].Reason));
        Assert.Null(last[0].MessageId);
        Assert.Equal(3, await Store.CountAsync(user, default));
    }

    [Fact]
    public async Task Nobody_sees_those_of_another_user()
    {
        var other = await AddUserAsync("other");

        Assert.Empty(await Store.PageAsync(other, default, 10, default));
        Assert.Equal(0, await Store.CountAsync(other, default));
        Assert.Empty(await Store.ThroughAsync(other, new TaskId(1), new ServiceId(7), default));
    }

    [Fact]
    public async Task Those_of_one_task_through_one_service_are_found() =>
        Assert.Equal([3], await Store.ThroughAsync(user, new TaskId(1), new ServiceId(7), default));

    [Theory]
    [InlineData("")]
    [InlineData("7")]
    [InlineData(".7")]
    [InlineData("7.")]
    [InlineData("-7.1")]
    [InlineData("7.1.2")]
    public void What_is_no_end_of_a_page_is_not_read(string text) => Assert.False(UnknownMark.TryParse(text, out _));
}
