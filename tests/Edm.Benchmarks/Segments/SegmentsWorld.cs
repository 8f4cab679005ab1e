using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;
using Npgsql;
using NpgsqlTypes;

namespace Edm.Benchmarks.Segments;

/// <summary>
/// One user's contacts with tags of every size, stored both as EDM does and, for the same questions in plain SQL, as pairs of tag and contact with indexes for each of the
/// questions. Everything follows from a contact's number, so it is the same at each run.
/// </summary>
internal sealed class SegmentsWorld(EdmDatabase database, int contacts)
{
    public const int Countries = 40;
    public const int Categories = 25;
    public const int Languages = 12;
    public const int Domains = 300;

    /// <summary>From half of the contacts to some dozens of a million.</summary>
    public static readonly double[] Shares =
        [.. Enumerable.Range(0, 40).Select(tag => tag < 4 ? 0.5 - (tag * 0.1) : tag < 12 ? 0.1 : tag < 24 ? 0.02 : tag < 34 ? 0.002 : 0.00005)];

    public UserId User { get; private set; }

    public async Task FillAsync()
    {
        User = new UserId(await database.RunAsync(c => c.ExecuteAsync<long>("INSERT INTO users (name, role, created_at) VALUES ('bench', 'user', 0) RETURNING id")));
        await database.WriteAsync(async connection =>
        {
            connection.CommandTimeout = 1200;
            var book = await ContactBook.OpenAsync(connection, User, default);
            book.Take(contacts);
            await connection.ExecuteAsync(ContactsSql(connection.IsPostgres), new DataParameter("user", User.Value), new DataParameter("contacts", contacts), new DataParameter("now", Now.ToUnixTimeMilliseconds()));
            await connection.ExecuteAsync(ActivitySql(connection.IsPostgres), new DataParameter("user", User.Value), new DataParameter("now", Now.ToUnixTimeMilliseconds()));
            await book.CloseAsync(default);
            await connection.ExecuteAsync("CREATE TABLE bench_tags (tag_id bigint NOT NULL, contact_id bigint NOT NULL)");
        });
        for (var tag = 0; tag < Shares.Length; tag++)
        {
            await TagAsync(tag);
        }

        await database.RunAsync(async connection =>
        {
            connection.CommandTimeout = 1200;
            foreach (var sql in Indexes(connection.IsPostgres))
            {
                await connection.ExecuteAsync(sql);
            }
        });
    }

    /// <summary>The moment that the world is made for; lastSent lies in the year before.</summary>
    public static DateTimeOffset Now { get; } = DateTimeOffset.UtcNow;

    public const string Described = "plain SQL over contacts and a table of (tag, contact) with both primary orders, and indexes on (user, followers), (user, country, followers), (user, category), (user, language), (last_sent_at), (score)";

    public static string[] Indexes(bool postgres) =>
    [
        "CREATE UNIQUE INDEX bench_tags_tag ON bench_tags (tag_id, contact_id)",
        "CREATE UNIQUE INDEX bench_tags_contact ON bench_tags (contact_id, tag_id)",
        "CREATE INDEX bench_followers ON contacts (user_id, followers)",
        "CREATE INDEX bench_country ON contacts (user_id, country, followers)",
        "CREATE INDEX bench_category ON contacts (user_id, category)",
        "CREATE INDEX bench_language ON contacts (user_id, language)",
        "CREATE INDEX bench_sent ON contact_activity (user_id, last_sent_at)",
        postgres ? "CREATE INDEX bench_score ON contacts (user_id, ((attributes ->> 'score')::numeric))" : "CREATE INDEX bench_score ON contacts (user_id, CAST(attributes ->> 'score' AS integer))",
        postgres ? "VACUUM ANALYZE" : "ANALYZE",
    ];

    private static string Numbers(bool postgres) =>
        postgres ? "generate_series(0::bigint, @contacts::bigint - 1) s (n)" : "(WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < @contacts - 1) SELECT n FROM numbers) s";

    private static string ContactsSql(bool postgres)
    {
        var json = postgres ? "jsonb_build_object('score', (n * 7907 % 10007)::text, 'city', 'city' || (n * 31 % 211))" : "json_object('score', CAST(n * 7907 % 10007 AS text), 'city', 'city' || (n * 31 % 211))";
        return $"""
            INSERT INTO contacts (user_id, ordinal, email, email_key, handle, nickname, followers, country, language, category, bio, attributes, status, created_at, updated_at)
            SELECT @user, n, 'c' || n || '@d' || (n * 17 % 997 % {Domains}) || '.example.com', 'c' || n || '@d' || (n * 17 % 997 % {Domains}) || '.example.com', 'h' || n, 'Nick ' || n,
              CASE WHEN n % 50 = 0 THEN NULL ELSE (n * 7919 % 1009) * (n * 104729 % 997) + n % 97 END,
              'C' || (n * 3571 % 1013 * (n * 2389 % 1019) % 1999 % {Countries}), 'L' || (n * 6007 % 1021 % {Languages}), 'K' || (n * 4001 % 1031 % {Categories}), 'bio ' || n, {json},
              CASE WHEN n % 40 = 7 THEN 'unsubscribed' ELSE 'active' END, @now - n * 1000, @now - n
            FROM {Numbers(postgres)}
            """;
    }

    private static string ActivitySql(bool postgres) =>
        $"INSERT INTO contact_activity (user_id, ordinal, last_sent_at) SELECT user_id, ordinal, @now - ({(postgres ? "ordinal::bigint" : "ordinal")} * 7321 % 31536) * 1000000 FROM contacts WHERE user_id = @user AND ordinal * {(postgres ? "13::bigint" : "13")} % 101 < 60";

    public static string TagName(int tag) => string.Create(CultureInfo.InvariantCulture, $"tag {tag}");

    private async Task TagAsync(int tag)
    {
        var (members, random) = (new ContactSet(), new Random(tag));
        for (var ordinal = 0; ordinal < contacts; ordinal++)
        {
            if (random.NextDouble() < Shares[tag])
            {
                members.Add(ordinal);
            }
        }

        await database.WriteAsync(async connection =>
        {
            var id = await connection.ExecuteAsync<long>(
                "INSERT INTO tags (user_id, name, name_key, contacts, created_at, updated_at) VALUES (@user, @name, @name, @count, 0, 0) RETURNING id",
                new DataParameter("user", User.Value), new DataParameter("name", TagName(tag)), new DataParameter("count", members.Count));
            foreach (var chunk in members.Chunks)
            {
                await connection.ExecuteAsync(
                    "INSERT INTO tag_members (tag_id, chunk, bits) VALUES (@tag, @chunk, @bits)",
                    new DataParameter("tag", id), new DataParameter("chunk", chunk), new DataParameter("bits", ContactChunk.ToBytes(members.Bits(chunk)), DataType.VarBinary));
            }

            // Ids are ordinals + 1 in a database of our own.
            await PairsAsync(connection, tag, members);
        });
    }

    private static async Task PairsAsync(EdmConnection connection, int tag, ContactSet members)
    {
        var open = await connection.OpenDbConnectionAsync(default);
        if (open is NpgsqlConnection postgres)
        {
            await using var copy = await postgres.BeginBinaryImportAsync("COPY bench_tags (tag_id, contact_id) FROM STDIN (FORMAT binary)");
            foreach (var ordinal in members.Ordinals)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync((long)tag, NpgsqlDbType.Bigint);
                await copy.WriteAsync(ordinal + 1L, NpgsqlDbType.Bigint);
            }

            await copy.CompleteAsync();
            return;
        }

        await using var command = open.CreateCommand();
        command.Transaction = connection.Transaction;
        command.CommandText = "INSERT INTO bench_tags (tag_id, contact_id) VALUES ($tag, $contact)";
        var (first, second) = (command.CreateParameter(), command.CreateParameter());
        (first.ParameterName, first.Value, second.ParameterName) = ("$tag", (long)tag, "$contact");
        command.Parameters.Add(first);
        command.Parameters.Add(second);
        foreach (var ordinal in members.Ordinals)
        {
            second.Value = ordinal + 1L;
            command.ExecuteNonQuery();
        }
    }
}
