using System.Text;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class CsvTableTests
{
    [Theory]
    [InlineData("a;b\n1;\"x;y\"\n", "a,b\r\n1,x;y\r\n", 2)]
    [InlineData("Title\n\na,b\n\n# remark\n1,\"2\n3\"\n4,5\n", "a,b\r\n1,\"2\n3\"\r\n4,5\r\n", 2)]
    [InlineData("a,b\n1\n1,2,3\n4,5\n", "a,b,\r\n1,,\r\n1,2,3\r\n4,5,\r\n", 3)]
    [InlineData("a\n\"\"\nx\n", "a\r\n\"\"\r\nx\r\n", 1)]
    [InlineData("a,b\nsaid \"hi\",2\n", "a,b\r\n\"said \"\"hi\"\"\",2\r\n", 2)]
    public async Task A_file_becomes_one_clean_table(string file, string expected, int columns)
    {
        using var output = new MemoryStream();

        var written = await CsvTable.WriteAsync(() => new MemoryStream(Encoding.UTF8.GetBytes(file)), "list.csv", output, default);

        Assert.Equal((expected, columns), (Encoding.UTF8.GetString(output.ToArray()), written.Columns));
        Assert.Null(written.Problem);
    }

    [Fact]
    public async Task A_file_that_breaks_off_is_written_as_far_as_it_goes()
    {
        using var output = new MemoryStream();

        var written = await CsvTable.WriteAsync(() => new MemoryStream("a,b\n1,2\n3,\"x\n"u8.ToArray()), "list.csv", output, default);

        Assert.StartsWith("a,b\r\n1,2\r\n", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
        Assert.Equal((3, 8), (written.Problem?.Line, written.Problem?.Offset));
    }
}
