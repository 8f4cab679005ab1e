using System.Diagnostics;
using CsCheck;
using Edm.Engine.Services.Smtp;
using Xunit;

namespace Edm.Engine.Tests.Services.Smtp;

public sealed class ReplyTextTests
{
    [Theory]
    [InlineData("2.0.0 Ok: queued as 4711", "2.0.0 Ok: queued as 4711")]
    [InlineData("<someone@example.com>: unknown", "<address>: unknown")]
    [InlineData("no user someone@example.com.", "no user <address>.")]
    [InlineData("someone@example.com", "<address>")]
    [InlineData("a@b.c, d+e=f.g@h-i.j; done", "<address>, <address>; done")]
    [InlineData("\"John Doe\"@example.com is full", "<address> is full")]
    [InlineData("to:jürgen@bücher.example!", "to:<address>!")]
    [InlineData("someone@[127.0.0.1] and x@[IPv6:::1] too", "<address> and <address> too")]
    [InlineData("see https://example.com/?to=someone%40example.com&id=7", "see https:<address>&id=7")]
    [InlineData("@ alone, @example.com too", "@ alone, @example.com too")]
    [InlineData("a@b@c@d", "<address>@<address>")]
    [InlineData("half@ an address", "<address> an address")]
    public void Addresses_are_replaced(string words, string clean) => Assert.Equal(clean, ReplyText.WithoutAddresses(words));

    [Fact]
    public void No_plain_address_survives_whatever_stands_around_it()
    {
        var word = Gen.String[Gen.Char["abcXYZ019._%+-"], 1, 20];
        var around = Gen.String[Gen.OneOf(Gen.Char["<>()[]:;,@\"' \r\n%40"], Gen.Char), 0, 20];
        Gen.Select(around, word, word, around).Sample((before, local, domain, after) =>
            !ReplyText.WithoutAddresses($"{before} {local}@{domain}.example {after}").Contains($"{local}@", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData('@')]
    [InlineData('"')]
    [InlineData('a')]
    [InlineData('<')]
    public void Hostile_replies_cost_linear_time(char filler)
    {
        // 1 MiB in the worst patterns known; a quadratic scan would take minutes.
        var texts = new[] { new string(filler, 1 << 20), string.Concat(Enumerable.Repeat($"{filler}@", 1 << 19)), string.Concat(Enumerable.Repeat($"{filler}%40\"@", 1 << 18)) };
        var watch = Stopwatch.StartNew();
        foreach (var text in texts)
        {
            ReplyText.Clean(text);
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"took {watch.Elapsed}");
    }

    [Fact]
    public void Words_come_out_as_one_line_of_at_most_500_characters()
    {
        Assert.Equal("5.1.1 no  such user", ReplyText.Clean(" 5.1.1 no\r\nsuch user\0"));
        Assert.Equal(500, ReplyText.Clean(new string('x', 501)).Length);
        Assert.Equal(500, ReplyText.Clean(new string('x', 500)).Length);
    }

    [Fact]
    public void A_cut_never_splits_a_surrogate_pair()
    {
        foreach (var lead in new[] { 497, 498, 499, 500 })
        {
            var clean = ReplyText.Clean(new string('x', lead) + string.Concat(Enumerable.Repeat("😀", 10)));
            Assert.True(clean.Length <= 500);
            Assert.DoesNotContain('\ufffd', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(clean)));
        }
    }

    [Fact]
    public void An_address_at_the_cut_is_not_half_shown()
    {
        var clean = ReplyText.Clean(new string('x', 480) + " someone-with-a-long-name@example.com");
        Assert.DoesNotContain("someone", clean, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("5.1.1 unknown user jane.roe", "5.1.1 unknown user <recipient>")]
    [InlineData("5.1.1 Jane.Roe: no such mailbox", "5.1.1 <recipient>: no such mailbox")]
    [InlineData("@janeroe77 (Jane Roe) is over quota", "@<recipient> (<recipient>) is over quota")]
    [InlineData("jane.roes and xjane.roe are others", "jane.roes and xjane.roe are others")]
    [InlineData("2.0.0 Ok: queued as 4F2A", "2.0.0 Ok: queued as 4F2A")]
    public void The_recipient_is_not_named_either_way(string text, string without) =>
        Assert.Equal(without, ReplyText.WithoutRecipient(text, "jane.roe@example.com", "janeroe77", "Jane Roe", null));

    [Fact]
    public void A_single_letter_names_nobody() => Assert.Equal("a b 5.1.1", ReplyText.WithoutRecipient("a b 5.1.1", "a@example.com", "b", "1"));
}
