using System.Globalization;

namespace Edm.Benchmarks.Segments;

/// <summary>One question as a filter and as plain SQL (a condition over <c>contacts c</c>).</summary>
internal sealed record Question(string Filter, string Sql)
{
    /// <summary>Of every kind that people ask, with other constants each time, so that nothing can be answered from memory of an answer.</summary>
    public static IReadOnlyList<Question> Make(int count, bool postgres)
    {
        var random = new Random(4711);
        return [.. Enumerable.Range(0, count).Select(nr => One(nr % 9, random, postgres))];
    }

    private static Question One(int kind, Random random, bool postgres)
    {
        // Rare and common ones alike.
        var tags = Enumerable.Range(0, SegmentsWorld.Shares.Length).OrderBy(_ => random.Next()).Take(3).ToArray();
        var (a, b, c) = (Tag(tags[0]), Tag(tags[1]), Tag(tags[2]));
        var followers = random.Next(1, 600_000);
        var (country, other) = (random.Next(SegmentsWorld.Countries), random.Next(SegmentsWorld.Countries));
        var days = random.Next(1, 300);
        var score = random.Next(10_000);
        var score1 = postgres ? "(c.attributes ->> 'score')::numeric" : "CAST(c.attributes ->> 'score' AS integer)";
        var sentBefore = Sent($"a.last_sent_at < {SegmentsWorld.Now.AddDays(-days).ToUnixTimeMilliseconds()}");
        return kind switch
        {
            0 => Of($"{a.Filter} and not {b.Filter} and followers > {followers}", $"{a.Sql} AND NOT {b.Sql} AND c.followers > {followers}"),
            1 => Of($"country in (C{country}, C{other}) and followers between {followers / 2} and {followers}", $"c.country IN ('C{country}', 'C{other}') AND c.followers BETWEEN {followers / 2} AND {followers}"),
            2 => Of($"{a.Filter} and category = K{country % SegmentsWorld.Categories}", $"{a.Sql} AND c.category = 'K{country % SegmentsWorld.Categories}'"),
            3 => Of($"({a.Filter} or {b.Filter}) and country = C{country} and lastSent < '{SegmentsWorld.Now.AddDays(-days).UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}'", $"({a.Sql} OR {b.Sql}) AND c.country = 'C{country}' AND {sentBefore}"),
            4 => Of($"{a.Filter} and {b.Filter} and not {c.Filter}", $"{a.Sql} AND {b.Sql} AND NOT {c.Sql}"),
            5 => Of($"followers > {followers} and language = L{country % SegmentsWorld.Languages} and not ({a.Filter} or country = C{other})", $"c.followers > {followers} AND c.language = 'L{country % SegmentsWorld.Languages}' AND NOT ({a.Sql} OR c.country = 'C{other}')"),
            6 => Of($"lastSent is empty and {a.Filter} and followers > {followers}", $"NOT {Sent("true")} AND {a.Sql} AND c.followers > {followers}"),
            7 => Of($"attr.score > {score} and {a.Filter} and not country in (C{country}, C{other})", $"{score1} > {score} AND {a.Sql} AND NOT c.country IN ('C{country}', 'C{other}')"),
            _ => Of($"domain = d{random.Next(SegmentsWorld.Domains)}.example.com and status = active and not {a.Filter}", null, a.Sql),
        };

        Question Of(string filter, string? sql, string? domainTag = null)
        {
            if (sql is null)
            {
                var name = filter.Split(' ')[2];
                sql = (postgres ? $"split_part(c.email_key, '@', 2) = '{name}'" : $"substr(c.email_key, instr(c.email_key, '@') + 1) = '{name}'") + $" AND c.status = 'active' AND NOT {domainTag}";
            }

            return new Question(filter, sql);
        }
    }

    private static (string Filter, string Sql) Tag(int tag) => (
        $"tag:\"{SegmentsWorld.TagName(tag)}\"",
        string.Create(CultureInfo.InvariantCulture, $"EXISTS (SELECT 1 FROM bench_tags t WHERE t.tag_id = {tag} AND t.contact_id = c.id)"));

    private static string Sent(string test) => $"EXISTS (SELECT 1 FROM contact_activity a WHERE a.user_id = c.user_id AND a.ordinal = c.ordinal AND {test})";
}
