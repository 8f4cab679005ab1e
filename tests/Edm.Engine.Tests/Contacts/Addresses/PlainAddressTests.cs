using CsCheck;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Addresses;
using Xunit;

namespace Edm.Engine.Tests.Contacts.Addresses;

public sealed class PlainAddressTests
{
    // What addresses are made of, right ones and nearly right ones.
    private static readonly string[] Pieces =
    [
        "a", "Z", "bob", "Ann", "0", "9", "-", "--", ".", "..", "@", "_", "+", "!#$%&'*/=?^`{|}~", " ", "\t", "\"", "\\", "(", ",", "é", "\u0301", "ſ", "K", "．", "xn--", "xn--bcher-kva",
        "example", "com", "museum", "local", "LOCAL", "localhost", "invalid", "onion", "arpa", "locality", "1", new string('x', 62), new string('y', 200),
    ];

    private static readonly Gen<string> Piece = Gen.Int[0, Pieces.Length - 1].Select(at => Pieces[at]);

    private static readonly Gen<string> Somehow = Piece.Array[0, 9].Select(string.Concat);

    private static readonly Gen<string> Nearly =
        Gen.Select(Somehow, Piece, Piece, Piece, (local, name, more, top) => $"{local}@{name}{more}.{top}");

    [Fact]
    public void An_address_that_is_read_at_a_glance_is_what_the_whole_grammar_makes_of_it() => Gen.OneOf(Somehow, Nearly).Sample(
        text =>
        {
            var isAddress = EmailAddress.TryParse(text, out var address, out var reason);

            Assert.Equal(EmailAddress.TryParseAny(text.AsSpan().Trim(), out var expected, out var why), isAddress);
            Assert.Equal((expected?.Address, expected?.Key, expected?.Domain, why), (address?.Address, address?.Key, address?.Domain, reason));
        },
        iter: 50_000);

    [Theory]
    [InlineData("ann.lee@example.com", true)]
    [InlineData("o'neil+list@mail.example.co", true)]
    [InlineData("Ann@Example.com", false)]
    public void Common_addresses_are_plain(string text, bool lower)
    {
        Assert.True(PlainAddress.Is(text, out var isLower));
        Assert.Equal(lower, isLower);
    }

    [Theory]
    [InlineData("\"a b\"@example.com")]
    [InlineData("a@example")]
    [InlineData("a@xn--bcher-kva.example")]
    [InlineData("a@mail.local")]
    [InlineData("é@example.com")]
    public void Others_are_left_to_the_grammar(string text) => Assert.False(PlainAddress.Is(text, out _));
}
