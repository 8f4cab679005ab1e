using CsCheck;
using Edm.Engine.Contacts;
using Xunit;

namespace Edm.Engine.Tests.Contacts;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("Ann@Example.COM", "Ann@example.com", "ann@example.com")]
    [InlineData("  a.b+c@mail.example.org ", "a.b+c@mail.example.org", "a.b+c@mail.example.org")]
    [InlineData("!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org")]
    [InlineData("\"a b\"@example.org", "\"a b\"@example.org", "\"a b\"@example.org")]
    [InlineData("\"needless\"@example.org", "needless@example.org", "needless@example.org")]
    [InlineData("\"at@sign\\\\\"@example.org", "\"at@sign\\\\\"@example.org", "\"at@sign\\\\\"@example.org")]
    [InlineData("x@bücher.example", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example")]
    [InlineData("x@BÜCHER.example", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example")]
    [InlineData("Ünï@example.com", "Ünï@example.com", "ünï@example.com")]
    [InlineData("e\u0301@example.com", "é@example.com", "é@example.com")]
    [InlineData("x@郵件.商務", "x@xn--5nqv22n.xn--lhr59c", "x@xn--5nqv22n.xn--lhr59c")]
    public void An_address_has_an_envelope_form_and_a_normal_form(string text, string envelope, string key)
    {
        Assert.True(EmailAddress.TryParse(text, out var address, out var reason), reason);
        Assert.Equal((envelope, key), (address.Address, address.Key));
    }

    [Theory]
    [InlineData(null, "empty")]
    [InlineData("  ", "empty")]
    [InlineData("nobody", "no @")]
    [InlineData("@example.com", "before the @")]
    [InlineData("a@", "after the @")]
    [InlineData(".a@example.com", "dot before")]
    [InlineData("a..b@example.com", "dot before")]
    [InlineData("a b@example.com", "a space")]
    [InlineData("a@b@example.com", "'@'")]
    [InlineData("a@游戏", "no dot")]
    [InlineData("\"\"@example.com", "between the quotes")]
    [InlineData("a\u200bb@example.com", "U+200B")]
    [InlineData("\u0301a@example.com", "combining mark")]
    [InlineData("a@mail.localhost", ".localhost")]
    [InlineData("\"open@example.com", "quote")]
    [InlineData("\"in\"ner\"@example.com", "quote")]
    [InlineData("a@example", "no dot")]
    [InlineData("a@example..com", "dot in the domain")]
    [InlineData("a@-example.com", "hyphen")]
    [InlineData("a@exam_ple.com", "'_'")]
    [InlineData("a@example.com.", "dot in the domain")]
    [InlineData("a@1.2.3.4", "number")]
    [InlineData("a@[1.2.3.4]", "literal")]
    [InlineData("a@caf\ufffd.com", "internationalised")]
    [InlineData("a@💌.com", "internationalised")]
    [InlineData("a\r\nBcc: b@example.com", "control character")]
    public void What_is_no_address_says_why(string? text, string part)
    {
        Assert.False(EmailAddress.TryParse(text, out _, out var reason));
        Assert.Contains(part, reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, 63, true)]
    [InlineData(65, 63, false)]
    [InlineData(64, 64, false)]
    public void Lengths_are_those_of_RFC_5321(int localPart, int label, bool valid) =>
        Assert.Equal(valid, EmailAddress.TryParse($"{new string('a', localPart)}@{new string('b', label)}.com", out _));

    [Fact]
    public void The_whole_has_at_most_254_characters()
    {
        var domain = string.Join('.', Enumerable.Repeat(new string('d', 61), 3)) + ".com"; // 189
        Assert.True(EmailAddress.TryParse($"{new string('a', 64)}@{domain}", out var longest));
        Assert.Equal(254, longest.Address.Length);
        Assert.False(EmailAddress.TryParse($"{new string('a', 64)}@d{domain}", out _));
    }

    [Fact]
    public void Any_text_is_answered_and_an_envelope_form_reads_as_itself()
    {
        Gen.String[Gen.Char["ab.@\"\\ -_1\0\r\nü\ud800\uffff邮"], 0, 40].Sample(text =>
        {
            if (EmailAddress.TryParse(text, out var address))
            {
                Assert.Equal(address.NeedsUtf8, !System.Text.Ascii.IsValid(address.Address));
                Assert.True(System.Text.Ascii.IsValid(address.Domain));
                Assert.True(EmailAddress.TryParse(address.Address, out var again));
                Assert.Equal(address, again);
            }
        });
    }
}
