using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Edm.Testing;
using Edm.Testing.Servers;
using LinqToDB;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;

namespace Edm.Benchmarks.Tags;

/// <summary>How large the world of a run is.</summary>
internal sealed record TagWorldSize(int Contacts, int Users, int Tags, int TagsAContact)
{
    public int ContactsAUser => Contacts / Users;
}

/// <summary>
/// A database of our own with contacts that have tags, and the same contacts beside them in a table whose column <c>tags</c> holds a JSON array of the same names. The first
/// tags are common and the last ones rare: tag n of 200 is drawn with the square of an even number.
/// </summary>
internal sealed class TagWorld : IAsyncDisposable
{
    public const string JsonTable = "json_none";

    private const string Columns =
        "id, user_id, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at";

    private static readonly string[] Countries = ["US", "GB", "DE", "FR", "BR", "ID", "JP", "MX"];
    private static readonly string[] Categories = ["beauty", "food", "travel", "fitness", "gaming", "music"];

    private readonly TempFolder _folder;
    private readonly PostgresServer? _postgres;

    private TagWorld(TempFolder folder, PostgresServer? postgres, EdmDatabase database, TagWorldSize size) =>
        (_folder, _postgres, Database, Size) = (folder, postgres, database, size);

    public EdmDatabase Database { get; }

    public TagWorldSize Size { get; }

    public static string TagName(int tag) => string.Create(CultureInfo.InvariantCulture, $"tag {tag}");

    public static UserId User(int nr) => new(nr + 1);

    public static async Task<TagWorld> CreateAsync(string database, TagWorldSize size)
    {
        var folder = new TempFolder();
        var postgres = database == "postgres" ? await PostgresServer.CreateAsync() : null;
        var opened = new EdmDatabase(new StorageSettings(postgres is null ? null : await postgres.CreateDatabaseAsync(), folder.Combine("data")));
        var world = new TagWorld(folder, postgres, opened, size);
        await new Migrator(opened, TimeProvider.System, NullLogger<Migrator>.Instance).MigrateAsync();
        await world.FillAsync();
        return world;
    }

    public async ValueTask DisposeAsync()
    {
        Database.Dispose();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task FillAsync()
    {
        await Database.RunAsync(async connection =>
        {
            for (var user = 0; user < Size.Users; user++)
            {
                await connection.ExecuteAsync($"INSERT INTO users (id, name, role, created_at) VALUES ({User(user)}, 'user{user}', 'user', 0)");
            }

            var json = connection.IsPostgres ? "jsonb" : "text";
            await connection.ExecuteAsync(
                $"""
                CREATE TABLE {JsonTable} (
                  id bigint PRIMARY KEY, user_id bigint NOT NULL, email text NOT NULL, email_key text NOT NULL, handle text, nickname text, followers bigint, country text,
                  language text, category text, bio text, attributes {json} NOT NULL, status text NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL, tags {json} NOT NULL)
                """);
        });
        var members = Enumerable.Range(0, Size.Users).Select(_ => Enumerable.Range(0, Size.Tags).Select(_ => new ContactSet()).ToArray()).ToArray();
        if (Database.IsPostgres)
        {
            await CopyAsync(members);
        }
        else
        {
            await InsertAsync(members);
        }

        for (var user = 0; user < Size.Users; user++)
        {
            await TagAsync(User(user), members[user]);
        }
    }

    private Task TagAsync(UserId user, ContactSet[] members) => Database.WriteAsync(async connection =>
    {
        var book = await ContactBook.OpenAsync(connection, user, default);
        book.Take(Size.ContactsAUser);
        var writer = new TagWriter(connection, user, book, TimeProvider.System);
        var tags = await writer.ResolveAsync(members.Select((_, tag) => Engine.Tags.TagName.Parse(TagName(tag), "tag")), default);
        var changes = new TagChanges();
        for (var tag = 0; tag < members.Length; tag++)
        {
            changes.Add(tags[TagName(tag)], members[tag]);
        }

        await writer.ApplyAsync(TagOperationKind.Add, TagOrigin.OfImport(new ImportId(1)), changes, default);
        await book.CloseAsync(default);
    });

    // Every row with its ordinal and its tags; the same ones in each run.
    private IEnumerable<(object[] Values, int Ordinal, string Tags)> Rows(ContactSet[][] members)
    {
        var random = new Random(1);
        var mine = new SortedSet<int>();
        for (var nr = 0; nr < Size.ContactsAUser * Size.Users; nr++)
        {
            var (user, ordinal) = (nr / Size.ContactsAUser, nr % Size.ContactsAUser);
            mine.Clear();
            while (mine.Count < Size.TagsAContact)
            {
                mine.Add((int)(Size.Tags * Math.Pow(random.NextDouble(), 2)));
            }

            foreach (var tag in mine)
            {
                members[user][tag].Add(ordinal);
            }

            var email = string.Create(CultureInfo.InvariantCulture, $"creator.number{nr}@mail{nr % 997}.example.com");
            yield return (
                [
                    (long)nr + 1, User(user).Value, email, email, $"creator_{nr}", $"Creator No. {nr}", (long)random.Next(1_000, 5_000_000), Countries[nr % 8], "en", Categories[nr % 6],
                    "Videos about what I like, twice a week. For business write to the address in my profile.",
                    """{"views":"12000","niche":"everyday life","platform":"video"}""", "active", 1_700_000_000_000L, 1_700_000_000_000L,
                ],
                ordinal,
                $"[{string.Join(", ", mine.Select(tag => $"\"{TagName(tag)}\""))}]");
        }
    }

    private async Task CopyAsync(ContactSet[][] members)
    {
        await using var ours = await Database.OpenPostgresAsync(default);
        await using var theirs = await Database.OpenPostgresAsync(default);
        await using (var contacts = await ours.BeginBinaryImportAsync($"COPY contacts ({Columns}, ordinal) FROM STDIN BINARY"))
        await using (var json = await theirs.BeginBinaryImportAsync($"COPY {JsonTable} ({Columns}, tags) FROM STDIN BINARY"))
        {
            foreach (var (values, ordinal, tags) in Rows(members))
            {
                await StartAsync(contacts, values);
                await contacts.WriteAsync(ordinal, NpgsqlDbType.Integer);
                await StartAsync(json, values);
                await json.WriteAsync(tags, NpgsqlDbType.Jsonb);
            }

            await contacts.CompleteAsync();
            await json.CompleteAsync();
        }

        async Task StartAsync(NpgsqlBinaryImporter importer, object[] values)
        {
            await importer.StartRowAsync();
            for (var i = 0; i < values.Length; i++)
            {
                await importer.WriteAsync(values[i], i == 11 ? NpgsqlDbType.Jsonb : values[i] is long ? NpgsqlDbType.Bigint : NpgsqlDbType.Text);
            }
        }
    }

    private Task InsertAsync(ContactSet[][] members) => Database.WriteAsync(connection =>
    {
        var open = connection.OpenDbConnection();
        using var ours = open.CreateCommand();
        using var theirs = open.CreateCommand();
        (ours.Transaction, theirs.Transaction) = (connection.Transaction, connection.Transaction);
        var parameters = string.Join(", ", Enumerable.Range(0, 15).Select(i => $"@p{i}"));
        ours.CommandText = $"INSERT INTO contacts ({Columns}, ordinal) VALUES ({parameters}, @p15)";
        theirs.CommandText = $"INSERT INTO {JsonTable} ({Columns}, tags) VALUES ({parameters}, @p15)";
        foreach (var command in new[] { ours, theirs })
        {
            for (var i = 0; i < 16; i++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = $"@p{i}";
                command.Parameters.Add(parameter);
            }
        }

        foreach (var (values, ordinal, tags) in Rows(members))
        {
            Run(ours, values, ordinal);
            Run(theirs, values, tags);
        }

        return Task.CompletedTask;

        static void Run(System.Data.Common.DbCommand command, object[] values, object last)
        {
            for (var i = 0; i < values.Length; i++)
            {
                command.Parameters[i].Value = values[i];
            }

            command.Parameters[15].Value = last;
            command.ExecuteNonQuery();
        }
    });
}
