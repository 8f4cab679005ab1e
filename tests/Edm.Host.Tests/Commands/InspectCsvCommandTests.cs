using System.Text;
using System.Text.Json;
using Edm.Host.Commands;

namespace Edm.Host.Tests.Commands;

public sealed class InspectCsvCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edm-inspect").FullName;

    [Fact]
    public async Task Each_file_is_one_line_with_dialect_columns_and_rows()
    {
        var good = Write("good.csv", "E-Mail;Follower;Note\n\"a@example.com\";1,3M;x\nb@;2;y\n");
        var bad = Write("bad.csv", "PK\u0003\u0004");

        var (exit, lines) = await ShowAsync(good, bad);

        Assert.Equal((1, 2), (exit, lines.Count));
        var (first, second) = (lines[0], lines[1]);
        Assert.Equal((";", "\"", "utf-8", 1), (
            first.GetProperty("dialect").GetProperty("delimiter").GetString(), first.GetProperty("dialect").GetProperty("escape").GetString(),
            first.GetProperty("dialect").GetProperty("encoding").GetString(), first.GetProperty("dialect").GetProperty("headerRow").GetInt32()));
        Assert.Equal(["email", "followers", "attribute"], first.GetProperty("columns").EnumerateArray().Select(c => c.GetProperty("field").GetString()));
        Assert.Equal(1_300_000, Assert.Single(first.GetProperty("rows").EnumerateArray()).GetProperty("followers").GetInt64());
        Assert.Equal(3, Assert.Single(first.GetProperty("errors").EnumerateArray()).GetProperty("line").GetInt32());
        Assert.Contains("Excel", second.GetProperty("problem").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mapping_file_decides()
    {
        var mapping = Write("mapping.json", """{"Note":"email","mail":"ignore"}""");
        var file = Write("list.csv", "mail,note\na@example.com,b@example.com\n");
        using var output = new MemoryStream();

        var exit = await InspectCsvCommand.ShowAsync(new InspectCsvArguments([file], Mapping: mapping), output, TextWriter.Null, default);

        Assert.Equal(0, exit);
        Assert.Equal("b@example.com", JsonDocument.Parse(output.ToArray()).RootElement.GetProperty("rows")[0].GetProperty("email").GetString());
    }

    [Theory]
    [InlineData("", "", 0)]
    [InlineData("a;b\n1;2\n", "a,b\r\n1,2\r\n", 0)]
    [InlineData("a,b\n1,\"2", "a,b\r\n1,2\r\n", 1)]
    public async Task The_table_of_a_file_is_printed(string content, string expected, int code)
    {
        using var output = new MemoryStream();
        using var error = new StringWriter();

        var exit = await InspectCsvCommand.TableAsync(Write("list.csv", content), output, error, default);

        Assert.Equal((expected, code), (Encoding.UTF8.GetString(output.ToArray()), exit));
        Assert.Equal(code != 0, error.ToString().Length > 0);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_told()
    {
        var (exit, lines) = await ShowAsync(Path.Combine(_folder, "none.csv"));

        Assert.Equal(1, exit);
        Assert.Contains("none.csv", Assert.Single(lines).GetProperty("problem").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<(int Exit, List<JsonElement> Lines)> ShowAsync(params string[] files)
    {
        using var output = new MemoryStream();
        var exit = await InspectCsvCommand.ShowAsync(new InspectCsvArguments(files), output, TextWriter.Null, default);
        return (exit, [.. Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)]);
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }
}
