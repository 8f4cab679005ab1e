using CsCheck;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class EmailFinderTests
{
    [Theory]
    [InlineData("a@example.com", "a@example.com")]
    [InlineData("mailto:a@example.com", "a@example.com")]
    [InlineData("Ann <a@example.com>", "a@example.com")]
    [InlineData("<a@example.com>", "a@example.com")]
    [InlineData("a@example.com; b@example.com", "a@example.com")]
    [InlineData("a@example.com,b@example.com", "a@example.com")]
    [InlineData("a@example.com\nb@example.com", "a@example.com")]
    [InlineData("o/x@example.com", "o/x@example.com")]
    [InlineData("b@, a@example.com", "a@example.com")]
    [InlineData("n/a; Ann <a@example.com>", "a@example.com")]
    public void The_cell_of_an_address_is_read(string cell, string expected)
    {
        Assert.True(EmailFinder.TryRead(cell, out var address, out var reason), reason);
        Assert.Equal(expected, address.Address);
    }

    [Theory]
    [InlineData("foo bar@example.com")]
    [InlineData("a at example.com")]
    [InlineData("ann,b@example.com")]
    [InlineData("ann, b@example.com")]
    [InlineData("<>")]
    [InlineData(";")]
    public void A_damaged_cell_is_not_guessed_at(string cell)
    {
        Assert.False(EmailFinder.TryRead(cell, out _, out var reason));
        Assert.NotEmpty(reason);
    }

    [Theory]
    [InlineData("📧ann@example.com 💌", "ann@example.com")]
    [InlineData("business: ann.b+x@mail.example.co.uk.", "ann.b+x@mail.example.co.uk")]
    [InlineData("联系ann@example.com谢谢", "ann@example.com")]
    [InlineData("mail=ann@example.com|dm @ann", "ann@example.com")]
    [InlineData("IG @ann.b / ann@example.com", "ann@example.com")]
    [InlineData("(ann@example.com)", "ann@example.com")]
    [InlineData("me@home or ann@example.com", "ann@example.com")]
    [InlineData("v1.2@1.5x ann@example.com-", "ann@example.com")]
    public void An_address_is_found_in_a_bio(string bio, string expected) => Assert.Equal(expected, EmailFinder.FindIn(bio)?.Address);

    [Theory]
    [InlineData("")]
    [InlineData("dm me @ann")]
    [InlineData("@ann.b")]
    [InlineData("ann @ example.com")]
    [InlineData("@@@@")]
    public void A_bio_without_one_has_none(string bio) => Assert.Null(EmailFinder.FindIn(bio));

    [Fact]
    public void Any_text_is_searched() => Gen.String[Gen.Char["ab.@-_ 1<>;é\ud800"], 0, 30].Sample(text =>
    {
        EmailFinder.FindIn(text);
        EmailFinder.TryRead(text, out _, out _);
    });
}
