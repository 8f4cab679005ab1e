namespace Edm.Engine.Tests.Contacts.Filters;

/// <summary>Writes filters as a person could, over a small world in which tests often hit.</summary>
internal sealed class RandomFilter(Random random)
{
    public static readonly string[] Tags = ["beauty", "Two Words", "contacted", "rare", "nobody"];
    public static readonly string[] Words = ["US", "de", "Ünal", "beauty", "Fashion", "a", "e", "x y", "it's"];
    public static readonly string[] Values = ["5", "12.5", "1.2M", "10k", "1,300", "5.2%", "-4", "--4", "yes", "TRUE", "no", "0", "2026-01-31", "2026/02/01 10:00", "2026-13-99", "skin", "Skin Care", "", "1.5kk", "9e5"];
    public static readonly string[] Moments = ["2026-01-31", "30d ago", "2w ago", "today", "yesterday", "3 months ago", "2026-02-01T10:00:00Z"];

    private static readonly string[] Numbers = ["0", "5", "10k", "1.5m", "20000", "1300"];
    private static readonly string[] AttributeNumbers = ["5", "5.2%", "12.5", "1.2M", "1300", "-4", "10k"];

    public string Next(int depth = 4) => depth == 0 || random.Next(4) == 0
        ? Test()
        : random.Next(4) switch
        {
            0 => $"not ({Next(depth - 1)})",
            1 => $"({Next(depth - 1)} or {Next(depth - 1)})",
            2 => $"({Next(depth - 1)} or {Next(depth - 1)} and not {Test()})",
            _ => $"({Next(depth - 1)} and {Next(depth - 1)})",
        };

    private string Test() => random.Next(11) switch
    {
        0 => $"tag:\"{Pick(Tags)}\"",
        1 => $"tag {Pick("in", "not in")} (\"{Pick(Tags)}\", \"{Pick(Tags)}\")",
        2 => Pick("untagged", "segment:one", "segment:\"Second one\""),
        3 => Pick("status = active", "status != suppressed", "status in (suppressed, unsubscribed)"),
        4 or 5 => TextTest(),
        6 => Scale("followers", Numbers),
        7 => Scale(Pick("createdAt", "updated_at", "lastSent"), Moments),
        8 => $"attr.x {Pick("=", "!=", "<", "<=", ">", ">=")} {Pick(AttributeNumbers)}",
        9 => $"attr.x {Pick("=", "!=", "<", "<=", ">", ">=")} {Pick("2026-01-31", "2026-02-01", "30d ago") switch { "30d ago" => "2026-02-02", var day => day }}",
        _ => $"attr.x {Pick("= true", "= false", "= '5'", "in (skin, 1300, yes)", "is empty", "is not empty", "contains s", "starts with Sk", "not contains 1", "between 5 and 10k")}",
    };

    private string TextTest()
    {
        var field = Pick("handle", "nickname", "country", "language", "category", "bio", "email", "domain", "attr.y");
        return random.Next(6) switch
        {
            0 => $"{field} is {Pick("", "not ")}empty",
            1 => $"{field} {Pick("=", "!=")} {Quote(Pick(Words))}",
            2 => $"{field} {Pick("", "not ")}in ({Quote(Pick(Words))}, {Quote(Pick(Words))})",
            3 => $"{field} {Pick("", "not ")}starts with {Quote(Pick(Words))}",
            4 => $"email in ('c{random.Next(60)}@example.org', c{random.Next(60)}@example.com)",
            _ => $"{field} {Pick("", "not ")}contains {Quote(Pick(Words))}",
        };
    }

    private string Scale(string field, string[] values) => random.Next(5) switch
    {
        0 => $"{field} is {Pick("", "not ")}empty",
        1 => $"{field} between {Pick(values)} and {Pick(values)}",
        2 => $"{field} {Pick("", "not ")}in ({Pick(values)}, {Pick(values)})",
        _ => $"{field} {Pick("=", "!=", "<", "<=", ">", ">=")} {Pick(values)}",
    };

    private T Pick<T>(params T[] from) => from[random.Next(from.Length)];

    private static string Quote(string value) => $"\"{value}\"";
}
