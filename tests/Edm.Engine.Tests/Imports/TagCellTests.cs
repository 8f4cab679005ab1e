using CsCheck;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class TagCellTests
{
    private readonly TagCell _cell = new();

    [Theory]
    [InlineData("beauty", "beauty")]
    [InlineData("beauty,skin care , vegan", "beauty/skin care/vegan")]
    [InlineData("beauty; skin care;", "beauty/skin care")]
    [InlineData("Paris, France|Rome, Italy", "Paris, France/Rome, Italy")]
    [InlineData("a\r\nb", "a/b")]
    [InlineData("Beauty, beauty,BEAUTY", "Beauty")]
    [InlineData("[\"beauty\", \"skin, care\", 7, null]", "beauty/skin, care/7")]
    [InlineData("['beauty', 'vegan']", "beauty/vegan")]
    [InlineData("[]", "")]
    [InlineData("[vip]", "[vip]")]
    [InlineData(" , ;", ",")]
    [InlineData("美妆,护肤", "美妆/护肤")]
    public void The_tags_of_a_cell_are_read(string cell, string expected)
    {
        Assert.True(_cell.TryRead(cell, out var names, out var reason), reason);
        Assert.Equal(expected, string.Join('/', names));
    }

    [Fact]
    public void Too_many_too_long_and_unprintable_names_are_refused()
    {
        Assert.True(_cell.TryRead(string.Join(',', Enumerable.Range(0, 64)), out var names, out _));
        Assert.Equal(64, names.Count);
        Assert.True(_cell.TryRead(new string('x', 100), out _, out _));
        Assert.Contains("more than 64", Reason(string.Join(',', Enumerable.Range(0, 65))), StringComparison.Ordinal);
        Assert.Contains("longer than 100", Reason(new string('x', 101)), StringComparison.Ordinal);
        Assert.Contains("control", Reason("a\u0007b"), StringComparison.Ordinal);

        string Reason(string cell) => _cell.TryRead(cell, out _, out var reason) ? "accepted" : reason;
    }

    [Fact]
    public void Any_text_is_read_or_refused() => Gen.String[Gen.Char["[]\"',;|\n a{}1\\u\ud800"], 0, 40].Sample(text =>
    {
        // Samples are taken in parallel, and a cell keeps its names.
        if (new TagCell().TryRead(text, out var names, out _))
        {
            Assert.All(names, name => Assert.InRange(name.Length, 1, TagCell.MaxName));
        }
    });
}
