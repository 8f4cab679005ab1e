using CsCheck;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Xunit;

namespace Edm.Engine.Tests.Contacts;

public sealed class ContactFilterTests
{
    private static readonly string[] Words = ["handle", "followers", "attr.x", "=", "!=", ">", "in", "(", ")", ",", "and", "or", "not", "is", "empty", "contains", "'q'", "10k", "US", "\"", "!", "é"];

    [Theory]
    [InlineData("folowers > 10", 1, "did you mean 'followers'")]
    [InlineData("country = US and contry = DE", 18, "did you mean 'country'")]
    [InlineData("country", 8, "Expected a test after 'country'")]
    [InlineData("country =", 10, "found the end")]
    [InlineData("country = US DE", 14, "found 'DE'")]
    [InlineData("(country = US", 14, "Expected ')'")]
    [InlineData("country in US", 12, "Expected '('")]
    [InlineData("country in (US,", 16, "Expected a value")]
    [InlineData("country > US", 9, "is text")]
    [InlineData("followers > many", 13, "not a number")]
    [InlineData("followers contains 5", 11, "contains")]
    [InlineData("status = gone", 10, "active, unsubscribed, suppressed")]
    [InlineData("handle = 'open", 10, "not closed")]
    [InlineData("handle ! x", 8, "write !=")]
    [InlineData("handle = a; DROP", 11, "';' means nothing")]
    [InlineData("attr. = x", 1, "after 'attr.'")]
    [InlineData("is empty", 1, "no field 'is'")]
    [InlineData("country = ''", 11, "write 'is empty'")]
    [InlineData("last_snt > 30d ago", 1, "did you mean 'lastSent'")]
    [InlineData("lastSent < 30x ago", 12, "not a day or moment")]
    [InlineData("lastSent < 2026-02-30", 12, "not a day or moment")]
    [InlineData("lastSent contains x", 10, "can't be tested by 'contains'")]
    [InlineData("followers between 1", 20, "Expected 'and'")]
    [InlineData("attr.x > many", 10, "neither a number")]
    [InlineData("tag beauty", 5, "after 'tag'")]
    [InlineData("tag:", 5, "Expected a value")]
    [InlineData("segment x", 9, "after 'segment'")]
    [InlineData("tga:beauty", 1, "did you mean 'tag'")]
    [InlineData("handle = 'a\0b'", 12, "NUL")]
    public void What_can_not_be_read_is_shown_with_its_position(string text, int position, string part)
    {
        var exception = Assert.Throws<ContactFilterException>(() => ContactFilter.Parse(text));

        Assert.Equal(position, exception.Position);
        Assert.Contains(part, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_of_the_user_stands_in_the_statement()
    {
        List<LinqToDB.Data.DataParameter> parameters = [];

        var sql = ContactFilter.Parse("handle = \"x' or 1=1 --\" and attr.evil contains 'y\"' or domain in (z)").ToSql(isPostgres: true, parameters, "c");

        Assert.DoesNotContain("evil", sql, StringComparison.Ordinal);
        Assert.DoesNotContain("1=1", sql, StringComparison.Ordinal);
        Assert.Equal(["x' or 1=1 --", "evil", "y\"", "z"], parameters.Select(p => p.Value));
        Assert.Equal(parameters.Count, parameters.Select(p => p.Name).Distinct().Count());
    }

    [Fact]
    public void Depth_length_and_number_of_values_are_bounded()
    {
        Assert.Throws<ContactFilterException>(() => ContactFilter.Parse(new string('(', 3000)));
        Assert.Throws<ContactFilterException>(() => ContactFilter.Parse(string.Concat(Enumerable.Repeat("not ", 900)) + "handle = x"));
        Assert.Throws<ContactFilterException>(() => ContactFilter.Parse($"handle in ({string.Join(',', Enumerable.Repeat("a", 501))})"));
        Assert.Throws<ContactFilterException>(() => ContactFilter.Parse(new string('a', 4001)));
    }

    [Fact]
    public void Any_text_is_a_filter_or_an_error_with_a_position_inside_of_it()
    {
        var words = Gen.OneOf([.. Words.Select(Gen.Const)]);
        words.Array[0, 14].Sample(parts =>
        {
            var text = string.Join(' ', parts);
            try
            {
                ContactFilter.Parse(text).ToSql(isPostgres: false, []);
            }
            catch (ContactFilterException exception)
            {
                Assert.InRange(exception.Position, 1, text.Length + 1);
            }
        });
    }
}
