using Edm.Engine.Erasure;
using Xunit;

namespace Edm.Engine.Tests.Erasure;

public sealed class PersonWordsTests
{
    [Theory]
    [InlineData("ask JANE.ROE@Example.com, please", "ask <erased>, please")]
    [InlineData("jane.roe@example.com", "<erased>")]
    [InlineData("mailto:jane.roe@example.com.", "mailto:<erased>.")]
    [InlineData("<jane.roe@example.com> and jane.roe@example.com; x", "<<erased>> and <erased>; x")]
    [InlineData("- jane.roe@example.com", "- <erased>")]
    public void An_address_is_cut_out_whatever_its_case(string text, string without) => Assert.Equal(without, Jane().Without(text));

    [Theory]
    [InlineData("mary-jane.roe@example.com")]
    [InlineData("x.jane.roe@example.com")]
    [InlineData("jane.roe@example.com.au")]
    [InlineData("jane.roe@example.community")]
    [InlineData("jane.roe@example")]
    [InlineData("")]
    public void The_address_of_somebody_else_stays(string text)
    {
        Assert.Same(text, Jane().Without(text));
        Assert.Null(Jane().WithoutInJson($$"""{"a":["{{text}}",1,null,true]}"""));
    }

    [Fact]
    public void A_domain_is_known_in_both_of_its_spellings()
    {
        var words = new PersonWords();
        words.AddAddress("jane@xn--bcher-kva.example");

        Assert.Equal("<erased> <erased>", words.Without("jane@bücher.example JANE@BÜCHER.EXAMPLE"));
        Assert.Equal("<erased>", words.Without("Jane@XN--bcher-kva.example"));
    }

    [Fact]
    public void In_json_every_text_is_looked_at_and_names_of_members_too()
    {
        var without = Jane().WithoutInJson("""{"jane.roe@example.com":{"list":["\njane.roe@example.com\n",7,null,false]},"other":"ä \"quoted\""}""");

        Assert.Equal("""{"<erased>":{"list":["\n<erased>\n",7,null,false]},"other":"ä \"quoted\""}""", without);
    }

    [Theory]
    [InlineData("janeroe77", true)]
    [InlineData(" @JaneRoe77 ", true)]
    [InlineData("Jane Quillon", true)]
    [InlineData("janeroe", false)]
    [InlineData("ask janeroe77", false)]
    [InlineData("", false)]
    public void A_name_is_the_whole_cell(string cell, bool isName) => Assert.Equal(isName, Jane().IsName(cell));

    private static PersonWords Jane()
    {
        var words = new PersonWords();
        words.AddAddress("Jane.Roe@example.com");
        words.AddName("@janeroe77");
        words.AddName("Jane Quillon");
        words.AddName(null);
        return words;
    }
}
