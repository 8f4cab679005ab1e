using System.Text;
using CsCheck;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class CsvDialectTests
{
    [Theory]
    [InlineData("a,b,c\n1,2,3\n", ",\"\" Lf")]
    [InlineData("a;b;c\r\n1,5;2,5;3,5\r\n1,5;2,5;3,5\r\n", ";\"\" CrLf")]
    [InlineData("a\tb\r1\t2\r3\t4\r", "\t\"\" Cr")]
    [InlineData("a|b\n1|2\n", "|\"\" Lf")]
    [InlineData("a\u001Fb\n1\u001F2", "\u001F\"\" Lf")]
    [InlineData("a^b\n1^2", "^\"\" Lf")]
    [InlineData("sep=;\na;b,c\n1;2,3\n", ";\"\" Lf")]
    [InlineData("one\ntwo\n", ",\"\" Lf")]
    [InlineData("a,b\n'x,y',2\n'z',3\n", ",'' Lf")]
    [InlineData("a,b\n'tis,2\nit's,3\n", ",\"\" Lf")]
    [InlineData("a,b\n\"x \\\"y\\\" z\",2\n", ",\"\\ Lf")]
    [InlineData("a,b\n\"C:\\dir\\\",2\n", ",\"\" Lf")]
    [InlineData("\"F,1,1\";F2;\"F3\";F4", ";\"\" Lf")]
    [InlineData("a,b\nx, \"y\"\nz, \"w, v\"\n", ",\"\" Lf spaces")]
    [InlineData("A, \"B\" ,C", ",\"\" Lf")]
    [InlineData("a,b,c\nd,e,f\rg,h,i\n", ",\"\" Lf")]
    public void A_dialect_is_found_by_how_well_the_rows_fit(string file, string expected)
    {
        var dialect = DialectDetector.Detect(file, isWhole: true).Dialect;

        Assert.Equal(expected, $"{dialect.Delimiter}{dialect.Quote}{dialect.Escape ?? dialect.Quote} {dialect.LineEnd}{(dialect.SkipsSpace ? " spaces" : "")}");
    }

    [Theory]
    [InlineData("email,name\na@b.co,x\n", 0, true)]
    [InlineData("\n \nemail,name\na@b.co,x\n", 2, true)]
    [InlineData("# exported\nemail,name\na@b.co,x\n", 1, true)]
    [InlineData("# exported, by, me\nemail,name\na@b.co,x\nc@d.co,y\n", 1, true)]
    [InlineData("My creators\nMay 2024\n\nemail,name,followers\na@b.co,x,1\nc@d.co,y,2\n", 3, true)]
    [InlineData("My creators,,\n,,\nemail,name,followers\na@b.co,x,1\nc@d.co,y,2\n", 2, true)]
    [InlineData("#,NAME,FOLLOWERS\n1,Ann,1M\n2,Bob,2M\n", 0, true)]
    [InlineData("id,,age\n1,x,2\n3,y,4\n", 0, true)]
    [InlineData("Museum,2011,2010\nx,17,18\ny,19,20\n", 0, true)]
    [InlineData("1,english\n2,german\n3,french\n", 0, false)]
    [InlineData("a@b.co,Ann\nc@d.co,Bob\n", 0, false)]
    public void A_header_is_told_from_what_stands_before_it(string file, int first, bool isHeader)
    {
        var dialect = DialectDetector.Detect(file, isWhole: true).Dialect;

        var header = HeaderFinder.Find(CsvSample.Read(file, isWhole: true, dialect), 0);

        Assert.Equal((first, isHeader), (header.First, header.IsHeader));
    }

    /// <summary>Any table, written in any dialect and encoding, is read back cell by cell.</summary>
    [Fact]
    public async Task Whatever_is_written_in_a_dialect_is_read_back()
    {
        var cells = Gen.String[Gen.Char["ab é1,;\t|\"'\\\n中x.-"], 0, 12];
        var tables = from width in Gen.Int[2, 5] from rows in cells.Array[width].Array[3, 20] select rows;
        await Gen.Select(tables, Gen.Char[",;\t|"], Gen.OneOf(Gen.Const("\n"), Gen.Const("\r\n")), Gen.OneOf(Gen.Const("utf-8"), Gen.Const("utf-16"), Gen.Const("utf-16BE"), Gen.Const("gb18030")), Gen.Bool).SampleAsync(async (rows, delimiter, lineEnd, encoding, quoteAll) =>
        {
            // A header, so that the columns are known, and a line of Chinese, so that an encoding can be told.
            string[][] table = [[.. Enumerable.Range(0, rows[0].Length).Select(i => $"姓名{i}")], [.. Enumerable.Repeat("我们的中国朋友在北京", rows[0].Length)], .. rows];
            var text = string.Concat(table.Select(row => string.Join(delimiter, row.Select(cell => Write(cell, delimiter, quoteAll))) + lineEnd));
            var bytes = encoding == "gb18030"
                ? CodePagesEncodingProvider.Instance.GetEncoding(54936)!.GetBytes(text.Replace('é', 'e'))
                : [.. Encoding.GetEncoding(encoding).GetPreamble(), .. Encoding.GetEncoding(encoding).GetBytes(text)];

            var read = await ReadAsync(bytes, delimiter);

            var wanted = table.Select(row => encoding == "gb18030" ? [.. row.Select(cell => cell.Replace('é', 'e'))] : row);
            Assert.Equal(wanted.Select(r => string.Join('\u0001', r)), read.Select(r => string.Join('\u0001', r)));
        }, iter: 300);

        static string Write(string cell, char delimiter, bool quoteAll) =>
            quoteAll || cell.AsSpan().IndexOfAny(delimiter, '"', '\n') >= 0 ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }

    private static async Task<List<string[]>> ReadAsync(byte[] bytes, char delimiter)
    {
        // What is to be proved is the tokenizer and the encoding; cells of nothing but marks can make another delimiter look as good.
        var records = await CsvRecords.OpenAsync(
            new PieceStream(bytes, 7), (start, isWhole) => DialectDetector.Detect(start, isWhole).Dialect with { Delimiter = delimiter, Quote = '"', Escape = null, SkipsSpace = false }, default);
        List<string[]> rows = [];
        while (await records.ReadAsync(default))
        {
            rows.Add([.. Enumerable.Range(0, records.FieldCount).Select(i => records.Field(i).ToString())]);
        }

        return rows;
    }
}
