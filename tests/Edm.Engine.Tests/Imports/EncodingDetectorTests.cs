using System.Text;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class EncodingDetectorTests
{
    private const string Western = "email,name\na@b.co,Müller\nc@d.co,José Núñez\ne@f.co,François\n";
    private const string Chinese = "邮箱,昵称,国家\na@b.co,美妆小姐,中国\nc@d.co,旅行的意义,中国\n";

    [Theory]
    [InlineData(Western, "utf-8", false, "utf-8")]
    [InlineData(Western, "utf-8", true, "utf-8")]
    [InlineData(Western, "utf-16", true, "utf-16le")]
    [InlineData(Western, "utf-16", false, "utf-16le")]
    [InlineData(Western, "utf-16BE", true, "utf-16be")]
    [InlineData(Western, "utf-16BE", false, "utf-16be")]
    [InlineData(Chinese, "utf-16", false, "utf-16le")]
    [InlineData(Western, "windows-1252", false, "windows-1252")]
    [InlineData("“Ann” – 5 €, it’s\n", "windows-1252", false, "windows-1252")]
    [InlineData(Chinese, "gb18030", false, "gb18030")]
    [InlineData(Chinese, "utf-8", false, "utf-8")]
    public void An_encoding_is_told_by_evidence(string text, string encoding, bool mark, string expected)
    {
        var found = EncodingDetector.Detect(Bytes(text, encoding, mark), isWhole: true);

        Assert.Equal(expected, found?.Name);
        Assert.NotEmpty(found!.Reason);
    }

    [Theory]
    [InlineData("Привет, как дела\nхорошо спасибо\n", "windows-1251", "unknown")]
    [InlineData("안녕하세요 반갑습니다,대한민국\n", "euc-kr", "Korean")]
    [InlineData("こんにちは、ありがとうございます\n", "shift_jis", "Japanese")]
    public void What_is_neither_is_refused_with_the_place(string text, string encoding, string message)
    {
        var refused = Assert.Throws<ImportFormatException>(() => EncodingDetector.Detect(Bytes("email\n" + text, encoding, false), isWhole: true));

        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal((2, 6), (refused.Line, refused.Offset));
    }

    [Fact]
    public async Task An_encoding_is_found_out_far_behind_the_start()
    {
        var bytes = Bytes("email,name\n" + string.Concat(Enumerable.Repeat("a@b.co,Ann\n", 50_000)) + "c@d.co,José\n", "windows-1252", false);

        await using var reader = await CsvRowReader.OpenAsync(new MemoryStream(bytes), default);
        var last = "";
        while (await reader.ReadAsync(default))
        {
            last = reader.Cells[1].Value;
        }

        Assert.Equal(("José", "windows-1252"), (last, reader.Encoding.Name));
    }

    [Fact]
    public async Task A_broken_character_in_the_middle_is_refused_with_line_and_byte()
    {
        var start = Encoding.UTF8.GetBytes("email,name\n" + string.Concat(Enumerable.Repeat("a@b.co,Jörg\n", 30_000)));
        byte[] bytes = [.. start, .. "c@d.co,x"u8, 0xFF, .. "y\n"u8];

        var refused = await Assert.ThrowsAsync<ImportFormatException>(async () =>
        {
            await using var reader = await CsvRowReader.OpenAsync(new MemoryStream(bytes), default);
            while (await reader.ReadAsync(default))
            {
            }
        });

        Assert.Equal((30_002, start.Length + 8), (refused.Line, refused.Offset));
    }

    [Theory]
    [InlineData("42 C3 28")]
    [InlineData("61 C3 28")]
    [InlineData("61 FF 62")]
    [InlineData("61 81 62")]
    public void A_broken_character_in_ASCII_is_not_taken_for_a_letter(string bytes)
    {
        var refused = Assert.Throws<ImportFormatException>(
            () => EncodingDetector.Detect([.. "email\n"u8, .. Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)), (byte)'\n'], isWhole: true));

        Assert.Equal((2, 7), (refused.Line, refused.Offset));
    }

    private static byte[] Bytes(string text, string name, bool mark)
    {
        var encoding = name.StartsWith("utf", StringComparison.Ordinal) ? Encoding.GetEncoding(name) : CodePagesEncodingProvider.Instance.GetEncoding(name)!;
        return mark ? [.. encoding.GetPreamble(), .. encoding.GetBytes(text)] : encoding.GetBytes(text);
    }
}
