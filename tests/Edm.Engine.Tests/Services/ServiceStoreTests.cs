using System.Security.Cryptography;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services;
using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Services;

public abstract class ServiceStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(32);

    private static readonly ServiceDraft Draft = new("relay", ServiceKind.Smtp, "smtp.example.com", null, TlsMode.StartTls, "me", "secret", "news@example.com", "News", 60, 1000, 5000, 3);

    private ServiceStore Store => new(Database, new SecretBox(Key), Time);

    private PoolStore Pools => new(Database, Time);

    [Fact]
    public async Task A_service_comes_back_as_it_was_made_and_without_its_password()
    {
        var (user, pool) = await UserWithPoolAsync();

        var made = (await Store.CreateAsync(user, pool, Draft))!;

        Assert.Equal(made, await Store.GetAsync(user, made.Id));
        Assert.Equal(
            ("relay", "smtp.example.com", 587, TlsMode.StartTls, "me", true, 60, 1000, 5000, 3, true, 1L),
            (made.Name, made.Host, made.Port, made.Tls, made.Username, made.HasPassword, made.PerMinute, made.PerHour, made.PerDay, made.Connections, made.Enabled, made.Version));
    }

    [Fact]
    public async Task The_password_is_locked_in_the_database_and_in_clear_for_the_lane()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        var stored = await Database.RunAsync(c => c.ExecuteAsync<byte[]>("SELECT password FROM services"));

        Assert.DoesNotContain("secret", System.Text.Encoding.Latin1.GetString(stored), StringComparison.Ordinal);
        Assert.Equal("secret", (await Store.LoadAsync(made.Lane, default)).Single().Password);
        Assert.Equal("secret", (await Store.GetSettingsAsync(user, made.Id))!.Password);
    }

    [Fact]
    public async Task Another_master_key_is_noticed_at_the_start_and_says_what_to_do()
    {
        var (user, pool) = await UserWithPoolAsync();
        await Store.CheckMasterKeyAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;
        await Store.CheckMasterKeyAsync();
        var stranger = new ServiceStore(Database, new SecretBox(RandomNumberGenerator.GetBytes(32)), Time);

        Assert.Contains("EDM_MASTER_KEY", (await Assert.ThrowsAsync<StorageException>(() => stranger.CheckMasterKeyAsync())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageException>(() => stranger.LoadAsync(made.Lane, default));
    }

    [Fact]
    public async Task Services_fill_the_lanes_evenly_and_stay_where_they_are()
    {
        var user = await AddUserAsync();
        var pool = await Pools.CreateAsync(user, new PoolDraft("p", 3));
        var made = await Task.WhenAll(Enumerable.Range(0, 9).Select(i => Store.CreateAsync(user, pool.Id, Draft with { Name = $"s{i}" })));
        Assert.Equal([0, 0, 0, 1, 1, 1, 2, 2, 2], made.Select(service => service!.Lane.Lane).Order());

        await Store.DeleteAsync(user, made.First(service => service!.Lane.Lane == 1)!.Id);

        Assert.Equal(1, (await Store.CreateAsync(user, pool.Id, Draft with { Name = "next" }))!.Lane.Lane);
        Assert.Equal(3, (await Store.LoadAsync(new LaneId(pool.Id, 1), default)).Count);
    }

    [Fact]
    public async Task A_change_counts_the_version_up_and_keeps_the_password_unless_a_new_one_comes()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        var changed = (await Store.ChangeAsync(user, made.Id, Draft with { Name = "other", Password = null, PerMinute = null, Connections = 9 }))!;

        Assert.Equal((2L, "other", null, 9, made.Lane), (changed.Version, changed.Name, changed.PerMinute, changed.Connections, changed.Lane));
        Assert.Equal("secret", (await Store.GetSettingsAsync(user, made.Id))!.Password);
        await Store.ChangeAsync(user, made.Id, Draft with { Password = "new" });
        Assert.Equal("new", (await Store.GetSettingsAsync(user, made.Id))!.Password);
        Assert.False((await Store.ChangeAsync(user, made.Id, Draft with { Username = null, Password = null }))!.HasPassword);
    }

    [Fact]
    public async Task A_stored_password_never_goes_to_another_host_or_user_name()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        foreach (var draft in new[] { Draft with { Host = "evil.example", Password = null }, Draft with { Username = "you", Password = null } })
        {
            Assert.Equal("password", (await Assert.ThrowsAsync<FieldException>(() => Store.ChangeAsync(user, made.Id, draft))).Field);
        }

        Assert.Equal((1L, "smtp.example.com"), ((await Store.GetAsync(user, made.Id))!.Version, (await Store.GetAsync(user, made.Id))!.Host));
    }

    [Fact]
    public async Task Disabled_services_are_still_known_to_the_lane_and_deleted_ones_are_not()
    {
        var (user, pool) = await UserWithPoolAsync();
        var one = (await Store.CreateAsync(user, pool, Draft))!;
        var two = (await Store.CreateAsync(user, pool, Draft with { Name = "two" }))!;

        Assert.Equal((false, 2L), ((await Store.EnableAsync(user, one.Id, false))!.Enabled, (await Store.GetAsync(user, one.Id))!.Version));
        Assert.Equal(two.Id, (await Store.DeleteAsync(user, two.Id))!.Id);

        var left = Assert.Single(await Store.LoadAsync(one.Lane, default));
        Assert.Equal((one.Id, false), (left.Id, left.Enabled));
        Assert.Null(await Store.GetAsync(user, two.Id));
        Assert.Null(await Store.DeleteAsync(user, two.Id));
        Assert.Null(await Database.RunAsync(c => c.ExecuteAsync<byte[]?>("SELECT password FROM services WHERE deleted_at IS NOT NULL")));
    }

    [Fact]
    public async Task A_sandbox_service_has_no_host()
    {
        var (user, pool) = await UserWithPoolAsync();
        var draft = Draft with { Kind = ServiceKind.Sandbox, Host = null, Username = null, Password = null };

        var made = (await Store.CreateAsync(user, pool, draft))!;

        Assert.Equal((ServiceKind.Sandbox, null), (made.Kind, made.Host));
        Assert.Null((await Store.LoadAsync(made.Lane, default)).Single().Host);
        Assert.Equal("host", (await Assert.ThrowsAsync<FieldException>(() => Store.ChangeAsync(user, made.Id, draft with { Host = "smtp.example.com" }))).Field);
    }

    [Fact]
    public async Task The_last_error_is_kept_without_addresses_and_without_a_new_version()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        await Store.SetLastErrorAsync(made.Id, "535 no such login\r\nfor me@example.com", default);
        Assert.Equal(("535 no such login  for <address>", 1L), ((await Store.GetAsync(user, made.Id))!.LastError, (await Store.GetAsync(user, made.Id))!.Version));
        Assert.True((await Store.LoadAsync(made.Lane, default)).Single().HasError);

        await Store.SetLastErrorAsync(made.Id, null, default);
        Assert.Null((await Store.GetAsync(user, made.Id))!.LastError);
        Assert.False((await Store.LoadAsync(made.Lane, default)).Single().HasError);
    }

    public static TheoryData<string, ServiceDraft> Refused => new()
    {
        { "name", Draft with { Name = "" } },
        { "name", Draft with { Name = "two\nlines" } },
        { "host", Draft with { Host = null } },
        { "host", Draft with { Host = "not a host" } },
        { "host", Draft with { Host = "http://example.com" } },
        { "port", Draft with { Port = 0 } },
        { "port", Draft with { Port = 65536 } },
        { "username", Draft with { Username = null } },
        { "username", Draft with { Username = "a\r\nb" } },
        { "password", Draft with { Password = null } },
        { "password", Draft with { Password = "" } },
        { "senderAddress", Draft with { SenderAddress = "nobody" } },
        { "senderAddress", Draft with { SenderAddress = "a@b\r\nRCPT TO:<x@y>" } },
        { "senderName", Draft with { SenderName = "a\r\nBcc: b" } },
        { "perMinute", Draft with { PerMinute = 0 } },
        { "perMinute", Draft with { PerMinute = 1_000_001 } },
        { "perHour", Draft with { PerHour = -5 } },
        { "perDay", Draft with { PerDay = 2_000_000_000 } },
        { "connections", Draft with { Connections = 0 } },
        { "connections", Draft with { Connections = 101 } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_can_not_be_used_is_refused_with_the_name_of_the_field(string field, ServiceDraft draft)
    {
        var (user, pool) = await UserWithPoolAsync();

        Assert.Equal(field, (await Assert.ThrowsAsync<FieldException>(() => Store.CreateAsync(user, pool, draft))).Field);
        Assert.Empty(await Store.ListAsync(user, null, default, 10));
    }

    [Fact]
    public async Task Another_users_pools_and_services_are_like_none()
    {
        var (user, pool) = await UserWithPoolAsync();
        var other = await AddUserAsync("other");
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        Assert.Null(await Store.CreateAsync(other, pool, Draft));
        Assert.Null(await Store.GetAsync(other, made.Id));
        Assert.Null(await Store.GetSettingsAsync(other, made.Id));
        Assert.Null(await Store.ChangeAsync(other, made.Id, Draft));
        Assert.Null(await Store.EnableAsync(other, made.Id, false));
        Assert.Null(await Store.DeleteAsync(other, made.Id));
        Assert.Empty(await Store.ListAsync(other, null, default, 10));
        Assert.Null(await Pools.GetAsync(other, pool));
        Assert.Null(await Pools.RenameAsync(other, pool, "mine"));
        Assert.False(await Pools.DeleteAsync(other, pool));
        Assert.Null(await Pools.GetUsableAsync(other, pool));
    }

    [Fact]
    public async Task A_shared_pool_shows_others_its_name_and_whether_it_can_send()
    {
        var (user, pool) = await UserWithPoolAsync();
        var other = await AddUserAsync("other");
        await Pools.ShareAsync(pool, true);

        Assert.Equal(new UsablePool(pool, "pool", false, true, 1, false, new SelectionWeights()), await Pools.GetUsableAsync(other, pool));
        var made = (await Store.CreateAsync(user, pool, Draft))!;
        Assert.True((await Pools.GetUsableAsync(other, pool))!.HasEnabledServices);
        await Store.EnableAsync(user, made.Id, false);
        Assert.False((await Pools.GetUsableAsync(other, pool))!.HasEnabledServices);
        Assert.Equal(new UsablePool(pool, "pool", true, true, 1, false, new SelectionWeights()), Assert.Single(await Pools.ListUsableAsync(user, default, 10)));
        Assert.Null(await Pools.GetAsync(other, pool));
    }

    [Fact]
    public async Task Names_are_taken_by_one_pool_and_one_service_that_is_not_deleted()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        await Assert.ThrowsAsync<ConflictException>(() => Pools.CreateAsync(user, new PoolDraft("pool")));
        await Assert.ThrowsAsync<ConflictException>(() => Store.CreateAsync(user, pool, Draft));
        await Store.DeleteAsync(user, made.Id);
        Assert.NotNull(await Store.CreateAsync(user, pool, Draft));
    }

    [Fact]
    public async Task A_pool_goes_when_nothing_uses_it()
    {
        var (user, pool) = await UserWithPoolAsync();
        var made = (await Store.CreateAsync(user, pool, Draft))!;

        await Assert.ThrowsAsync<ConflictException>(() => Pools.DeleteAsync(user, pool));
        await Store.DeleteAsync(user, made.Id);

        Assert.True(await Pools.DeleteAsync(user, pool));
        Assert.Null(await Pools.FindAsync(pool));
    }

    [Theory]
    [InlineData("lanes", "p", 0)]
    [InlineData("lanes", "p", 65)]
    [InlineData("name", " ", 1)]
    public async Task A_pool_that_can_not_be_is_refused(string field, string name, int lanes)
    {
        var user = await AddUserAsync();
        Assert.Equal(field, (await Assert.ThrowsAsync<FieldException>(() => Pools.CreateAsync(user, new PoolDraft(name, lanes)))).Field);
    }

    private async Task<(UserId User, PoolId Pool)> UserWithPoolAsync()
    {
        var user = await AddUserAsync();
        return (user, (await Pools.CreateAsync(user, new PoolDraft("pool"))).Id);
    }
}

public sealed class ServiceStoreTestsOnSqlite() : ServiceStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ServiceStoreTestsOnPostgres(PostgresFixture postgres) : ServiceStoreTests(new PostgresDatabases(postgres));
