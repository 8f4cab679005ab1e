using Edm.Contracts;
using Edm.Engine.Users;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Users;

public abstract class UserTests : DatabaseTests
{
    private readonly ManualTime _time = new();

    protected UserTests(IDatabases databases) : base(databases) => Time = _time;

    private UserStore Users => new(Database, Time);

    private KeyStore NewKeys() => new(Database, Time);

    private async Task<User> AddAsync(string name, UserRole role = UserRole.User) => await Users.CreateAsync(name, role, default);

    private static async Task<(long Id, string Text)> AddKeyAsync(KeyStore keys, UserId user)
    {
        var made = await keys.CreateAsync(user, "test", default);
        return (made!.Value.Key.Id, made.Value.Text);
    }

    [Fact]
    public async Task A_weight_is_in_force_some_seconds_after_it_was_changed_and_at_once_where_it_was()
    {
        var (ann, bob) = (await AddAsync("ann"), await AddAsync("bob"));
        var (here, there) = (NewWeights(), NewWeights());
        await Users.SetWeightAsync(bob.Id, 5, default);
        await Eventually.Async(() => here.Of(bob.Id) == 5 && there.Of(bob.Id) == 5, Soon, "both read at the first question");

        Assert.Equal(7, (await Users.SetWeightAsync(ann.Id, 7, default))!.Weight);
        here.Forget();
        Assert.Equal(1, there.Of(ann.Id));
        await Eventually.Async(() => here.Of(ann.Id) == 7, Soon, "the node that changed it reads again");
        _time.Advance(TimeSpan.FromSeconds(3));
        await Eventually.Async(() => there.Of(ann.Id) == 7, Soon, "the copy is old");

        Assert.Equal((5, 5), (here.Of(bob.Id), there.Of(bob.Id)));
        Assert.Null(await Users.SetWeightAsync(new UserId(99), 7, default));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    [InlineData(int.MinValue)]
    public async Task A_weight_is_from_1_to_100(int weight)
    {
        var ann = await AddAsync("ann");

        Assert.Equal("weight", (await Assert.ThrowsAsync<FieldException>(() => Users.SetWeightAsync(ann.Id, weight, default))).Field);
    }

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private UserWeights NewWeights() => new(Users, Time, NullLogger<UserWeights>.Instance);

    [Fact]
    public async Task A_key_opens_for_its_own_user()
    {
        var keys = NewKeys();
        var user = await AddAsync("ann", UserRole.Admin);
        var (id, text) = await AddKeyAsync(keys, user.Id);

        Assert.Equal(new KeyOwner(user.Id, "ann", UserRole.Admin, id, "test"), await keys.FindAsync(text, default));
    }

    [Fact]
    public async Task A_key_is_nowhere_in_the_database()
    {
        var user = await AddAsync("ann");
        var (_, text) = await AddKeyAsync(NewKeys(), user.Id);

        var hash = await Database.RunAsync(c => c.ExecuteAsync<byte[]>("SELECT hash FROM api_keys"));

        Assert.Equal(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(text)), hash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("edm_")]
    [InlineData("edm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("EDM_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("edm_' OR 1=1 --AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task What_is_not_a_key_opens_nothing(string text)
    {
        Assert.Null(await NewKeys().FindAsync(text, default));
    }

    [Fact]
    public async Task A_revoked_key_is_dead_at_once_where_it_was_revoked()
    {
        var keys = NewKeys();
        var user = await AddAsync("ann");
        var (id, text) = await AddKeyAsync(keys, user.Id);
        Assert.NotNull(await keys.FindAsync(text, default));

        Assert.True(await keys.RevokeAsync(user.Id, id, default));

        Assert.Null(keys.Remembered(text));
        Assert.Null(await keys.FindAsync(text, default));
    }

    [Fact]
    public async Task A_revoked_key_is_dead_within_seconds_on_other_nodes()
    {
        var (here, there) = (NewKeys(), NewKeys());
        var user = await AddAsync("ann");
        var (id, text) = await AddKeyAsync(here, user.Id);
        Assert.NotNull(await there.FindAsync(text, default));

        await here.RevokeAsync(user.Id, id, default);
        _time.Advance(KeyStore.Trust);

        Assert.Null(await there.FindAsync(text, default));
    }

    [Fact]
    public async Task A_key_cannot_be_revoked_in_the_name_of_another_user()
    {
        var keys = NewKeys();
        var (ann, bob) = (await AddAsync("ann"), await AddAsync("bob"));
        var (id, text) = await AddKeyAsync(keys, ann.Id);

        Assert.False(await keys.RevokeAsync(bob.Id, id, default));
        Assert.NotNull(await keys.FindAsync(text, default));
    }

    [Fact]
    public async Task Nobody_gets_more_keys_than_can_be_overlooked()
    {
        var keys = NewKeys();
        var user = await AddAsync("ann");
        for (var i = 0; i < 100; i++)
        {
            await AddKeyAsync(keys, user.Id);
        }

        await Assert.ThrowsAsync<ConflictException>(() => AddKeyAsync(keys, user.Id));
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        await AddAsync("ann");

        Assert.Equal("name", (await Assert.ThrowsAsync<ConflictException>(() => AddAsync("ann"))).Field);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a\nb")]
    public async Task An_odd_name_is_refused_by_its_field(string name)
    {
        Assert.Equal("name", (await Assert.ThrowsAsync<FieldException>(() => AddAsync(name))).Field);
    }

    [Fact]
    public async Task A_deleted_user_is_gone_with_its_keys_and_all_that_was_its_own()
    {
        var keys = NewKeys();
        var (ann, bob) = (await AddAsync("ann"), await AddAsync("bob"));
        var (_, text) = await AddKeyAsync(keys, ann.Id);
        await FillAsync(ann.Id, "finished");
        await FillAsync(bob.Id, "running");

        Assert.True(await Users.DeleteAsync(ann.Id, default));

        Assert.Null(await keys.FindAsync(text, default));
        foreach (var table in new[] { "users", "contacts", "pools", "templates", "campaigns", "tasks", "audience", "deliveries" })
        {
            Assert.Equal(1, await Database.RunAsync(c => c.ExecuteAsync<long>($"SELECT count(*) FROM {table}")));
        }

        Assert.False(await Users.DeleteAsync(ann.Id, default));
    }

    [Fact]
    public async Task A_user_with_running_tasks_is_not_deleted()
    {
        var ann = await AddAsync("ann");
        await FillAsync(ann.Id, "running");

        await Assert.ThrowsAsync<ConflictException>(() => Users.DeleteAsync(ann.Id, default));
        Assert.NotNull(await Users.FindAsync(ann.Id, default));
    }

    [Fact]
    public async Task The_last_administrator_stays()
    {
        var ann = await AddAsync("ann", UserRole.Admin);
        await Assert.ThrowsAsync<ConflictException>(() => Users.DeleteAsync(ann.Id, default));

        await AddAsync("bob", UserRole.Admin);
        Assert.True(await Users.DeleteAsync(ann.Id, default));
    }

    [Fact]
    public async Task Users_are_listed_by_pages()
    {
        var (ann, bob) = (await AddAsync("ann"), await AddAsync("bob"));

        Assert.Equal([ann], await Users.ListAsync(new UserId(0), 1, default));
        Assert.Equal([bob], await Users.ListAsync(ann.Id, 10, default));
    }

    [Fact]
    public async Task The_first_start_makes_an_administrator_whose_key_only_the_owner_can_read()
    {
        var keys = NewKeys();
        var administrator = new AdministratorKey(Database, Users, keys);

        Assert.True(await administrator.EnsureAsync(default));

        var owner = await keys.FindAsync((await File.ReadAllTextAsync(administrator.FilePath)).Trim(), default);
        Assert.Equal(("admin", UserRole.Admin), (owner?.Name, owner?.Role));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(administrator.FilePath));
        }

        Assert.Equal(["admin.key"], Directory.GetFiles(Database.Settings.DataFolder, "admin.key*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_second_start_makes_no_second_key()
    {
        var administrator = new AdministratorKey(Database, Users, NewKeys());
        await administrator.EnsureAsync(default);

        Assert.False(await administrator.EnsureAsync(default));
    }

    [Fact]
    public async Task When_every_key_of_administrators_is_revoked_the_next_start_makes_a_new_one()
    {
        var keys = NewKeys();
        var administrator = new AdministratorKey(Database, Users, keys);
        await administrator.EnsureAsync(default);
        var first = await keys.FindAsync((await File.ReadAllTextAsync(administrator.FilePath)).Trim(), default);
        await keys.RevokeAsync(first!.User, first.KeyId, default);

        Assert.True(await administrator.EnsureAsync(default));

        var second = await keys.FindAsync((await File.ReadAllTextAsync(administrator.FilePath)).Trim(), default);
        Assert.Equal(first.User, second!.User);
    }

    /// <summary>One row in every table that belongs to a user.</summary>
    private Task FillAsync(UserId user, string taskState) => Database.RunAsync(async c =>
    {
        var u = new DataParameter("u", user.Value);
        var contact = await c.ExecuteAsync<long>(
            "INSERT INTO contacts (user_id, ordinal, email, email_key, created_at, updated_at) VALUES (@u, 0, 'a@example.com', 'a@example.com', 0, 0) RETURNING id", u);
        var pool = await c.ExecuteAsync<long>("INSERT INTO pools (user_id, name, lanes, created_at) VALUES (@u, 'p', 1, 0) RETURNING id", u);
        var template = await c.ExecuteAsync<long>("INSERT INTO templates (user_id, name, version, created_at, updated_at) VALUES (@u, 't', 1, 0, 0) RETURNING id", u);
        var campaign = await c.ExecuteAsync<long>(
            $"INSERT INTO campaigns (user_id, name, template_id, pool_id, state, created_at) VALUES (@u, 'c', {template}, {pool}, 'launched', 0) RETURNING id", u);
        var task = await c.ExecuteAsync<long>(
            $"""
             INSERT INTO tasks (user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at)
             VALUES (@u, {campaign}, 0, {template}, 1, {pool}, 1, 1, '{taskState}', 0) RETURNING id
             """,
            u);
        await c.ExecuteAsync($"INSERT INTO audience (task_id, seq, contact_id, campaign_id, round) VALUES ({task}, 1, {contact}, {campaign}, 0)");
        await c.ExecuteAsync($"INSERT INTO deliveries (task_id, seq, user_id, state, attempts, first_at, last_at) VALUES ({task}, 1, @u, 'sent', 1, 0, 0)", u);
    });
}

public sealed class UserTestsOnSqlite() : UserTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class UserTestsOnPostgres(PostgresFixture postgres) : UserTests(new PostgresDatabases(postgres));
