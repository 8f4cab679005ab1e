using CsCheck;
using Edm.Engine.Contacts.Addresses;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Addresses;

public sealed class AddressReportTests
{
    [Theory]
    [InlineData("Ann.B+x@GMAIL.com", "ann.b+x@gmail.com", "Ann.B+x@gmail.com")]
    [InlineData("\"ann\"@example.com", "ann@example.com", "ann@example.com")]
    [InlineData("\"a\\nn n\"@example.com", "\"ann n\"@example.com", "\"ann n\"@example.com")]
    [InlineData("\"\"@example.com", "\"\"@example.com", "\"\"@example.com")]
    [InlineData("a@[192.000.2.001]", "a@[192.0.2.1]", "a@[192.0.2.1]")]
    [InlineData("a@[ipv6:2001:DB8:0:0:0:0:0:1]", "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]")]
    [InlineData("a@[IPv6:1:2:3:4:5:6:7::]", "a@[IPv6:1:2:3:4:5:6:7:0]", "a@[IPv6:1:2:3:4:5:6:7:0]")]
    [InlineData("a@[IPv6:::]", "a@[IPv6:::]", "a@[IPv6:::]")]
    [InlineData("a@[IPv6:2001:db8::192.0.2.1]", "a@[IPv6:2001:db8::c000:201]", "a@[IPv6:2001:db8::c000:201]")]
    [InlineData("a@BÜCHER。example", "a@bücher.example", "a@xn--bcher-kva.example")]
    [InlineData("a@faß.de", "a@faß.de", "a@xn--fa-hia.de")]
    [InlineData("a@ＥＸＡＭＰＬＥ．ｃｏｍ", "a@example.com", "a@example.com")]
    [InlineData("a@xn--k28h.example", "a@xn--k28h.example", "a@xn--k28h.example")]
    [InlineData("a@u\u0308.example", "a@ü.example", "a@xn--tda.example")]
    [InlineData("a@\u1112\u1161\u11ab.example", "a@\ud55c.example", "a@xn--6q8b.example")]
    [InlineData("Jörg@example.com", "jörg@example.com", null)]
    [InlineData("a@com", "a@com", "a@com")]
    [InlineData("a@123.123.123.123", "a@123.123.123.123", "a@123.123.123.123")]
    public void A_valid_address_has_a_normal_form_and_one_for_envelopes_in_ASCII(string text, string normal, string? ascii)
    {
        var report = AddressReport.Of(text);

        Assert.Equal((text, true, normal, ascii), (report.Address, report.Valid, report.Normal, report.Ascii));
    }

    [Theory]
    [InlineData(" a@example.com")]
    [InlineData("a@example.com\r")]
    [InlineData("a(x)@example.com")]
    [InlineData("(x)a@example.com")]
    [InlineData("Ann <a@example.com>")]
    [InlineData("a.\"b\".c@example.com")]
    [InlineData("\"a\tb\"@example.com")]
    [InlineData("\"a\\\"@example.com")]
    [InlineData("a\u00a0b@example.com")]
    [InlineData("a\u202eb@example.com")]
    [InlineData("a\ufffdb@example.com")]
    [InlineData("a\ud800@example.com")]
    [InlineData("a.\u037e@example.com")]
    [InlineData("a@exam\u200bple..com")]
    [InlineData("a@xn--example.com")]
    [InlineData("a@xn--a.com")]
    [InlineData("a@😀.example")]
    [InlineData("a@l·x.example")]
    [InlineData("a@\U0001044d\u044f--\u044f.example")]
    [InlineData("a@א1ب٢.example")]
    [InlineData("a@1א.example")]
    [InlineData("a@[127.0.0.1]")]
    [InlineData("a@[IPv6:::1]")]
    [InlineData("a@[256.1.1.1]")]
    [InlineData("a@[1.2.3]")]
    [InlineData("a@[IPv6:1:2:3:4:5:6:7:8:9]")]
    [InlineData("a@[IPv6:1::2::3]")]
    [InlineData("a@[IPv6:fe80::1%eth0]")]
    [InlineData("a@[x-tag:content]")]
    [InlineData("a@[]")]
    [InlineData("a@.")]
    [InlineData("a@localhost")]
    [InlineData("a@printer.local")]
    [InlineData("a@１。")]
    public void What_may_not_go_onto_an_envelope_unmodified_is_not_valid_and_says_why(string text)
    {
        var report = AddressReport.Of(text);

        Assert.Equal((text, false, null, null, false, false), (report.Address, report.Valid, report.Normal, report.Ascii, report.Role, report.Disposable));
        Assert.False(string.IsNullOrEmpty(report.Reason));
    }

    [Theory]
    [InlineData("info@example.com", true)]
    [InlineData("SALES+spring@example.com", true)]
    [InlineData("\"no-reply\"@example.com", true)]
    [InlineData("do_not.reply@example.com", true)]
    [InlineData("cats-request@lists.example.com", true)]
    [InlineData("ann@example.com", false)]
    [InlineData("infos.ann@example.com", false)]
    [InlineData("+info@example.com", false)]
    public void Role_accounts_are_known_in_any_spelling(string text, bool role) => Assert.Equal(role, AddressReport.Of(text).Role);

    [Theory]
    [InlineData("a@mailinator.com", true)]
    [InlineData("a@x.y.Mailinator.com", true)]
    [InlineData("a@notmailinator.example", false)]
    [InlineData("a@gmail.com", false)]
    [InlineData("a@com", false)]
    public void Disposable_domains_are_known_with_their_subdomains(string text, bool disposable) => Assert.Equal(disposable, AddressReport.Of(text).Disposable);

    [Theory]
    [InlineData("a@gmial.com", "a@gmail.com")]
    [InlineData("a@gmail.con", "a@gmail.com")]
    [InlineData("a@gmail.cmo", "a@gmail.com")]
    [InlineData("a@gmail.co", "a@gmail.com")]
    [InlineData("a@gmial.cmo", "a@gmail.com")]
    [InlineData("a@gnail.com", "a@gmail.com")]
    [InlineData("a@hotmial.com", "a@hotmail.com")]
    [InlineData("a@hotmal.fr", "a@hotmail.fr")]
    [InlineData("a@yaho.com", "a@yahoo.com")]
    [InlineData("a@yahoo.co.ukk", "a@yahoo.co.uk")]
    [InlineData("a@outlok.com", "a@outlook.com")]
    [InlineData("a@icould.com", "a@icloud.com")]
    [InlineData("a@protnomail.com", "a@protonmail.com")]
    [InlineData("a@company.con", "a@company.com")]
    [InlineData("a@company.nte", "a@company.net")]
    [InlineData("a@gmailcom", "a@gmail.com")]
    [InlineData("a@gmail,com", "a@gmail.com")]
    [InlineData("a@gmail.com.", "a@gmail.com")]
    [InlineData(" a@example.com ", "a@example.com")]
    [InlineData("Ann <a@example.com>", "a@example.com")]
    [InlineData("a(work)@example.com", "a@example.com")]
    [InlineData("mailto:a @ example.com", "a@example.com")]
    [InlineData("a..b@example.com", "a.b@example.com")]
    [InlineData("a＠example.com", "a@example.com")]
    public void A_slip_of_the_hand_gets_a_suggestion(string text, string suggestion) => Assert.Equal(suggestion, AddressReport.Of(text).Suggestion);

    [Theory]
    [InlineData("gmx.net")]
    [InlineData("mail.com")]
    [InlineData("email.com")]
    [InlineData("ymail.com")]
    [InlineData("googlemail.com")]
    [InlineData("yahoo.co.jp")]
    [InlineData("live.nl")]
    [InlineData("fmail.com")]
    [InlineData("olive.com")]
    [InlineData("line.me")]
    [InlineData("all.com")]
    [InlineData("company.co")]
    [InlineData("company.cm")]
    [InlineData("cloud.com")]
    [InlineData("web.com")]
    [InlineData("orange.com")]
    [InlineData("proton.com")]
    [InlineData("example.tld")]
    [InlineData("mail.gmail.example")]
    [InlineData("hotel.com")]
    [InlineData("outlook.studio")]
    public void A_domain_of_its_own_gets_none(string domain) => Assert.Null(AddressReport.Of($"ann@{domain}").Suggestion);

    [Fact]
    public void Dots_and_tags_at_Gmail_are_folded_only_if_asked()
    {
        Assert.Equal("a.nn+x@googlemail.com", AddressReport.Of("A.nn+x@googlemail.com").Normal);
        Assert.Equal("ann@gmail.com", AddressReport.Of("A.nn+x@googlemail.com", foldGmail: true).Normal);
        Assert.Equal("a.nn+x@example.com", AddressReport.Of("A.nn+x@example.com", foldGmail: true).Normal);
    }

    [Fact]
    public void Any_text_is_answered_and_a_normal_form_reads_as_itself()
    {
        Gen.String[Gen.Char["ab.@@@\"\\ -_1\0\r\nüÜ\ud800\udc00\uffff邮ß。．ａאب٢\u0301\u0327\u200d\u212b\u1e9e[]():<>xn"], 0, 24].Sample(text =>
        {
            var report = AddressReport.Of(text);
            Assert.Equal(report.Valid, report.Normal is not null);
            if (report.Normal is { } normal)
            {
                var again = AddressReport.Of(normal);
                Assert.True(again.Valid, again.Reason);
                Assert.Equal(normal, again.Normal);
                Assert.True(report.Ascii is null || System.Text.Ascii.IsValid(report.Ascii));
            }

            Assert.True(report.Suggestion is null || AddressReport.Of(report.Suggestion).Valid);
        });
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(3_000_000)]
    public void A_hostile_text_costs_little(int length)
    {
        foreach (var piece in (string[])["@", "(", "<", "a.", "\"", "ü", "é@", "﷐"])
        {
            Assert.False(AddressReport.Of(string.Concat(Enumerable.Repeat(piece, length / piece.Length))).Valid);
        }
    }
}
