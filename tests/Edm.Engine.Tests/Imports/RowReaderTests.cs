using System.Text;
using CsCheck;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

/// <summary>The readers of all formats, without a database.</summary>
public sealed class RowReaderTests
{
    [Theory]
    [InlineData("email,name\na@b.co,Ann\n", "2:email=a@b.co,name=Ann")]
    [InlineData("\uFEFFemail,name\na@b.co,Ann", "2:email=a@b.co,name=Ann")]
    [InlineData("email;name\r\na@b.co;Ann, B\r\n", "2:email=a@b.co,name=Ann, B")]
    [InlineData("email\tname\na@b.co\tAnn", "2:email=a@b.co,name=Ann")]
    [InlineData("email|name\na@b.co|Ann", "2:email=a@b.co,name=Ann")]
    [InlineData("sep=;\nemail;a,b,c\na@b.co;1", "3:email=a@b.co,a,b,c=1")]
    [InlineData("email,name\ra@b.co,Ann\rc@d.co,Cem", "2:email=a@b.co,name=Ann/3:email=c@d.co,name=Cem")]
    [InlineData("\n\nemail,name\n\n,\na@b.co,Ann\n\n", "6:email=a@b.co,name=Ann")]
    [InlineData("email,bio\na@b.co,\"two\nlines, \"\"quoted\"\"\"\nc@d.co,x", "2:email=a@b.co,bio=two\nlines, \"quoted\"/4:email=c@d.co,bio=x")]
    [InlineData("\"work\nemail\",name\na@b.co,Ann", "3:work\nemail=a@b.co,name=Ann")]
    [InlineData("email,#\na@b.co,#1", "2:email=a@b.co,#=#1")]
    [InlineData("#,email\n#1,a@b.co", "2:#=#1,email=a@b.co")]
    [InlineData("email,name\na@b.co", "2:email=a@b.co")]
    [InlineData("email,name\na@b.co,Ann \"B\" C", "2:email=a@b.co,name=Ann \"B\" C")]
    [InlineData("""{"email":"a@b.co","n":1.50,"ok":true,"none":null,"s":{"likes":{"v":3}},"t":["x","y"],"l":[{"a":1}]}""", "1:email=a@b.co,n=1.50,ok=true,s.likes.v=3,t=x; y,l=[{\"a\":1}]")]
    [InlineData("{\"email\":\"a@b.co\"}\r\n\n{\"email\":\"c@d.co\"}\n", "1:email=a@b.co/3:email=c@d.co")]
    [InlineData("[\n{\"email\":\"a@b.co\"},\n\n {\"email\":\"c,]}\\\"@d.co\"}\n]\n", "2:email=a@b.co/4:email=c,]}\"@d.co")]
    [InlineData("[]", "")]
    public async Task Rows_have_their_line_and_their_values(string file, string expected)
    {
        var rows = await ReadAsync(file);

        Assert.Equal(expected, string.Join('/', rows.Select(r => $"{r.Line}:{string.Join(',', r.Cells.Select(c => $"{c.Name}={c.Value}"))}")));
    }

    [Theory]
    [InlineData("", "empty", null)]
    [InlineData(" \n ", "empty", null)]
    [InlineData("email,name\na@b.co,\"open\nx,y\n", "quote is opened", 2)]
    [InlineData("a@b.co,Ann\nc@d.co,Cem\n", "has no header", 1)]
    [InlineData("id,age\n1,2\n", "No column is recognised", 1)]
    [InlineData("handle,followers\nann,2\n", "no column for e-mail", 1)]
    [InlineData("[{\"email\":\"a@b.co\"},", "ends too early", 1)]
    [InlineData("[{\"email\":\"a@b.co\"", "ends too early", 1)]
    [InlineData("[{\"email\":\"a@b.co\"}\n{\"email\":\"a@b.co\"}]", "Expected ','", 2)]
    [InlineData("[{\"email\":\"a@b.co\"},]", "not JSON", 1)]
    [InlineData("[{\"email\":\"a@b.co\"}] x", "follows the end", 1)]
    [InlineData("[\n\n{\"email\":\n,}]", "not JSON", 4)]
    [InlineData("{\n\"email\":\"a@b.co\"\n}", "not a whole JSON object", 1)]
    [InlineData("{\"email\":\"a@b.co\"}\nnonsense", "not a whole JSON object", 2)]
    [InlineData("{\"handle\":\"ann\"}", "No row has a field", null)]
    public async Task A_file_that_can_not_be_read_is_refused_with_its_line(string file, string message, int? line)
    {
        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(file));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(line, (int?)refused.Line);
    }

    [Theory]
    [InlineData("50 4B 03 04", "Excel workbook (.xlsx) or a zip")]
    [InlineData("D0 CF 11 E0 A1", "old Excel")]
    [InlineData("25 50 44 46 2D", "PDF")]
    [InlineData("FF FE 00 00", "UTF-32")]
    [InlineData("3C 21 64 6F 63 74 79 70 65 20 68 74 6D 6C 3E", "web page")]
    [InlineData("01 00 00 00 07 00 00 00 00 00 00 00", "no text")]
    [InlineData("28 B5 2F FD", "packed in a way")]
    public async Task Files_of_other_kinds_are_told_what_to_do(string bytes, string message)
    {
        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal))));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("email,name\na@b.co,ééééé\nc@d.co,Caf\u0001\n", 3)]
    [InlineData("{\"email\":\"ééééé@b.co\"}\n{\"email\":\"c@d.co\",\"name\":\"Caf\u0001\"}", 2)]
    [InlineData("[{\"email\":\"ééééé@b.co\"},\n{\"name\":\"Caf\u0001\"}]", 2)]
    public async Task Text_that_is_not_UTF8_is_refused_with_its_line(string file, int line)
    {
        // 0xE9 is é in Latin-1, and the beginning of something longer in UTF-8.
        var bytes = Encoding.UTF8.GetBytes(file).Select(b => b == 1 ? (byte)0xE9 : b).ToArray();

        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(bytes));

        Assert.Contains("UTF-8", refused.Message, StringComparison.Ordinal);
        Assert.Equal(line, refused.Line);
    }

    [Fact]
    public async Task A_packed_file_is_unpacked_and_a_truncated_or_doubly_packed_one_refused()
    {
        var plain = Encoding.UTF8.GetBytes("email\n" + string.Concat(Enumerable.Range(0, 20_000).Select(i => $"a{i * 7919 % 20011}@example.com\n")));
        var packed = Pack(plain);

        Assert.Equal(20_000, (await ReadAsync(packed)).Count);
        foreach (var length in (int[])[11, packed.Length / 2, packed.Length - 4])
        {
            var refused = await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(packed[..length]));
            Assert.Contains("damaged or ends too early", refused.Message, StringComparison.Ordinal);
        }

        Assert.Contains("twice", (await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(Pack(packed)))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("email,name\na@b.co,", "x")]
    [InlineData("email,name\na@b.co,\"", "x")]
    [InlineData("{\"email\":\"", "x")]
    [InlineData("[{\"email\":\"", "x")]
    [InlineData("[", "[")]
    public async Task A_line_of_two_gigabytes_is_refused_early(string start, string filling)
    {
        using var file = new EndlessStream(Encoding.UTF8.GetBytes(start), (byte)filling[0], 2L << 30);

        await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(file));

        Assert.InRange(file.BytesRead, 0, 8 * 1024 * 1024);
    }

    [Fact]
    public async Task More_than_the_allowed_bytes_are_refused_also_when_they_come_out_of_gzip()
    {
        var packed = Pack(Encoding.UTF8.GetBytes("email\n" + string.Concat(Enumerable.Repeat("a@example.com\n", 100_000))));

        var refused = await Assert.ThrowsAsync<ImportFormatException>(() => ReadAsync(new MemoryStream(packed), new ImportOptions { MaxBytes = 1024 * 1024 }));

        Assert.Contains("larger than 1 MiB", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_follows_a_closing_quote_is_the_rows_problem_and_no_other_rows()
    {
        var rows = await ReadAsync("email,name\na@b.co,x\n\"a\"b,y\nc@d.co,z");

        Assert.Equal([false, true, false], rows.Select(r => r.Problem is not null));
        Assert.Equal((3, "email"), (rows[1].Problem!.Line, rows[1].Problem!.Field));
    }

    [Fact]
    public async Task An_extra_value_is_the_rows_problem()
    {
        var row = Assert.Single(await ReadAsync("email,name\na@b.co,Ann,extra"));

        Assert.Equal(("column 3", "extra"), (row.Problem!.Field, row.Problem.Value));
    }

    [Fact]
    public async Task What_is_no_object_or_has_half_a_character_is_the_rows_problem()
    {
        var rows = await ReadAsync("[7,{\"email\":\"a@b.co\",\"name\":\"\\ud800\"},{\"email\":\"c@d.co\"}]");

        Assert.Equal([true, true, false], rows.Select(r => r.Problem is not null));
    }

    [Theory]
    [InlineData(null, "list.csv", null, "{\"email\":1}", ImportFormat.Csv)]
    [InlineData(null, "list.json", null, "{\"email\":1}", ImportFormat.NdJson)]
    [InlineData(null, "list.ndjson", null, " [1]", ImportFormat.Json)]
    [InlineData(null, "list.csv.gz", null, "[1]", ImportFormat.Csv)]
    [InlineData(null, "list", "text/csv; charset=utf-8", "[1]", ImportFormat.Csv)]
    [InlineData(null, "list.csv", "application/x-ndjson", "{\"email\":1}", ImportFormat.NdJson)]
    [InlineData(null, "list", "application/octet-stream", "[1]", ImportFormat.Json)]
    [InlineData(ImportFormat.Csv, "list.json", "application/json", "[1]", ImportFormat.Csv)]
    public async Task The_format_is_told_by_the_caller_the_type_the_name_or_the_first_byte(ImportFormat? told, string name, string? type, string content, ImportFormat expected)
    {
        await using var source = await ImportSource.OpenAsync(new MemoryStream(Encoding.UTF8.GetBytes(content)), name, new ImportOptions(told, type), default);

        Assert.Equal(expected, source.Format);
    }

    [Fact]
    public async Task What_is_called_JSON_and_is_not_is_refused()
    {
        await Assert.ThrowsAsync<ImportFormatException>(() => ImportSource.OpenAsync(new MemoryStream("email"u8.ToArray()), "list.json", new ImportOptions(), default));
    }

    [Fact]
    public async Task Whatever_the_text_it_is_read_or_refused_wherever_it_is_cut_into_pieces()
    {
        var texts = Gen.OneOf(
            Gen.String[Gen.Char["a@b.co,;\"\n\r\t|é"], 0, 60].Select(t => "email,x\n" + t),
            Gen.String[Gen.Char["{}[],:\"\\a1 \n"], 0, 40].Select(t => "[{\"email\":\"a\"}," + t),
            Gen.String[Gen.Char["{}[],:\"\\a1 \n"], 0, 40].Select(t => "{\"email\":\"a\"}\n" + t));
        await Gen.Select(texts, Gen.Int[1, 7]).SampleAsync(async (text, piece) =>
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            Assert.Equal(await OutcomeAsync(new MemoryStream(bytes)), await OutcomeAsync(new PieceStream(bytes, piece)));
        });

        static async Task<string> OutcomeAsync(Stream stream)
        {
            try
            {
                return string.Join('/', (await ReadAsync(stream)).Select(r => $"{r.Line}:{string.Join(',', r.Cells)}:{r.Problem}"));
            }
            catch (ImportFormatException refused)
            {
                return refused.Message;
            }
        }
    }

    internal static byte[] Pack(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest))
        {
            gzip.Write(plain);
        }

        return packed.ToArray();
    }

    private static Task<List<Row>> ReadAsync(string file) => ReadAsync(Encoding.UTF8.GetBytes(file));

    private static Task<List<Row>> ReadAsync(byte[] file) => ReadAsync(new MemoryStream(file));

    private static async Task<List<Row>> ReadAsync(Stream file, ImportOptions? options = null)
    {
        await using var source = await ImportSource.OpenAsync(file, "list", options ?? new ImportOptions(), default);
        await using var reader = source.Format == ImportFormat.Csv
            ? (IRowReader)await CsvRowReader.OpenAsync(source.Content, default)
            : new JsonRowReader(source.Content, source.Format == ImportFormat.Json);
        List<Row> rows = [];
        while (await reader.ReadAsync(default))
        {
            rows.Add(new Row(reader.Line, [.. reader.Cells.Select(c => (c.Column.Name, c.Value))], reader.Problem));
        }

        reader.EnsureAddressable();
        return rows;
    }

    private sealed record Row(long Line, List<(string Name, string Value)> Cells, RowProblem? Problem);
}
