using System.Security.Cryptography;
using System.Text;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Storage;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Services.Dkim;

public abstract class DkimStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly byte[] Master = RandomNumberGenerator.GetBytes(32);

    private ServiceStore Services => new(Database, new SecretBox(Master), Time);

    private DkimStore Store => new(Database, new SecretBox(Master), Time);

    [Fact]
    public async Task The_key_is_locked_in_the_database_and_in_clear_for_the_lane()
    {
        var key = DkimKey.Generate(DkimAlgorithm.Rsa);
        var (user, service) = await ServiceAsync();

        var set = (await Store.SetAsync(user, service.Id, new DkimDraft(null, "edm", DkimAlgorithm.Rsa, key.Pem)))!.Value;

        Assert.Equal(new Edm.Engine.Services.Dkim.Dkim("example.com", "edm", key.Record), set.Dkim);
        Assert.Equal((service.Version + 1, "example.com"), (set.Service.Version, set.Service.DkimDomain));
        Assert.DoesNotContain("PRIVATE", Encoding.Latin1.GetString(await Database.RunAsync(c => c.ExecuteAsync<byte[]>("SELECT dkim_key FROM services"))), StringComparison.Ordinal);
        var loaded = (await Services.LoadAsync(service.Lane, default)).Single();
        Assert.Equal(new DkimSettings("example.com", "edm", key.Pem), loaded.Dkim);
        Assert.DoesNotContain("PRIVATE", $"{loaded} {loaded.Dkim}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_master_key_is_noticed_at_the_start()
    {
        var (user, service) = await ServiceAsync();
        await Store.SetAsync(user, service.Id, new DkimDraft(null, "edm", DkimAlgorithm.Ed25519, null));
        var stranger = new ServiceStore(Database, new SecretBox(RandomNumberGenerator.GetBytes(32)), Time);

        await Assert.ThrowsAsync<StorageException>(() => stranger.CheckMasterKeyAsync());
    }

    [Fact]
    public async Task A_key_that_is_taken_away_or_whose_service_is_deleted_is_forgotten()
    {
        var (user, service) = await ServiceAsync();
        await Store.SetAsync(user, service.Id, new DkimDraft(null, "edm", DkimAlgorithm.Ed25519, null));
        Assert.Null((await Store.RemoveAsync(user, service.Id))!.Value.Dkim);
        Assert.Null((await Services.LoadAsync(service.Lane, default)).Single().Dkim);

        await Store.SetAsync(user, service.Id, new DkimDraft(null, "edm", DkimAlgorithm.Ed25519, null));
        await Services.DeleteAsync(user, service.Id);

        Assert.Equal(0, await Database.RunAsync(c => c.ExecuteAsync<int>("SELECT count(*) FROM services WHERE dkim_key IS NOT NULL")));
    }

    [Fact]
    public async Task The_service_of_another_user_does_not_exist()
    {
        var (_, service) = await ServiceAsync();
        var stranger = await AddUserAsync("stranger");

        Assert.Null(await Store.GetAsync(stranger, service.Id));
        Assert.Null(await Store.SetAsync(stranger, service.Id, new DkimDraft(null, "edm", DkimAlgorithm.Ed25519, null)));
        Assert.Null(await Store.RemoveAsync(stranger, service.Id));
        Assert.Null((await Services.LoadAsync(service.Lane, default)).Single().Dkim);
    }

    [Fact]
    public async Task A_login_by_token_comes_back()
    {
        var (user, service) = await ServiceAsync(LoginKind.XOAuth2);

        Assert.Equal((LoginKind.XOAuth2, LoginKind.XOAuth2), (service.Login, (await Services.LoadAsync(service.Lane, default)).Single().Login));
        Assert.Equal(LoginKind.Password, (await Services.ChangeAsync(user, service.Id, Draft(LoginKind.Password)))!.Login);
    }

    private static ServiceDraft Draft(LoginKind login) =>
        new("relay", ServiceKind.Smtp, "smtp.example.com", null, TlsMode.StartTls, "me", "secret", "news@example.com", Login: login);

    private async Task<(UserId User, Service Service)> ServiceAsync(LoginKind login = LoginKind.Password)
    {
        var user = await AddUserAsync();
        var pool = await new PoolStore(Database, Time).CreateAsync(user, new PoolDraft("pool"));
        return (user, (await Services.CreateAsync(user, pool.Id, Draft(login)))!);
    }
}

public sealed class DkimStoreTestsOnSqlite() : DkimStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class DkimStoreTestsOnPostgres(PostgresFixture postgres) : DkimStoreTests(new PostgresDatabases(postgres));
