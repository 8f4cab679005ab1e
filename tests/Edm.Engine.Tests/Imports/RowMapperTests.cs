using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class RowMapperTests
{
    private readonly RowMapper _mapper = new();

    [Fact]
    public void A_row_becomes_a_contact()
    {
        var contact = Contact(
            ("E-Mail", " Ann@Example.com "), ("username", "@ann"), ("Nickname", "Ann 🌷"), ("Followers", "1.3M"), ("region", "us"), ("lang", "en"), ("niche", "beauty"),
            ("bio", "hello"), ("Views (Avg.)", "97K"));

        Assert.Equal(
            new StagedContact(1, "Ann@example.com", "ann@example.com", "ann", "Ann 🌷", 1_300_000, "US", "en", "beauty", "hello", """{"views_avg":"97K"}"""),
            contact);
    }

    [Fact]
    public void An_address_in_the_bio_counts_when_there_is_no_other()
    {
        Assert.Equal("b@example.com", Contact(("bio", "me: b@example.com")).Email);
        Assert.Equal("b@example.com", Contact(("email", "n/a"), ("bio", "me: b@example.com")).Email);
        Assert.Equal("a@example.com", Contact(("email", "a@example.com"), ("bio", "me: b@example.com")).Email);
    }

    [Theory]
    [InlineData("email", "", "email", "no e-mail address")]
    [InlineData("bio", "dm me", "email", "also not in the bio")]
    [InlineData("Work Email", "not mine", "Work Email", "not an e-mail address")]
    [InlineData("followers", "lots", "followers", "not a number of followers")]
    [InlineData("followers", "-1", "followers", "not a number of followers")]
    [InlineData("handle", "a\0b", "handle", "NUL")]
    public void A_row_that_can_not_be_a_contact_says_why(string column, string value, string field, string reason)
    {
        (string, string)[] cells = column is "followers" or "handle" ? [("email", "a@example.com"), (column, value)] : [(column, value)];

        var problem = Problem(cells);

        Assert.Equal((7, field), (problem.Line, problem.Field));
        Assert.Contains(reason, problem.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_value_and_too_many_columns_are_refused_with_the_column()
    {
        Assert.Equal("note", Problem(("email", "a@example.com"), ("note", new string('x', 4001))).Field);
        Assert.Equal("bio", Problem(("email", "a@example.com"), ("bio", new string('x', 4001))).Field);
        Assert.Equal("nickname", Problem(("email", "a@example.com"), ("nickname", new string('x', 501))).Field);
        Assert.Equal("c65", Problem([("email", "a@example.com"), .. Enumerable.Range(1, 65).Select(i => ($"c{i}", "x"))]).Field);
        Assert.NotNull(Contact([("email", "a@example.com"), .. Enumerable.Range(1, 64).Select(i => ($"c{i}", new string('x', 4000)))]));
    }

    [Fact]
    public void A_refused_value_is_kept_in_part_and_never_half_a_character()
    {
        var problem = Problem(("email", new string('x', 199) + "🌷"));

        Assert.Equal(new string('x', 199), problem.Value);
    }

    [Fact]
    public void Of_two_columns_for_one_field_the_better_name_wins_and_the_other_is_kept()
    {
        var contact = Contact(("region", "Bavaria"), ("country_code", "de"), ("bio_email", "bio@example.com"), ("email", "a@example.com"));

        Assert.Equal(("DE", "a@example.com", """{"region":"Bavaria","bio_email":"bio@example.com"}"""), (contact.Country, contact.Email, contact.Attributes));
    }

    [Fact]
    public void Of_a_rounded_and_an_exact_column_under_one_header_the_exact_one_counts()
    {
        Assert.Equal((221_734L, "{}"), (Contact(("email", "a@example.com"), ("Subscribers count", "221.7K"), ("Subscribers count", "221734")) is var c ? (c.Followers, c.Attributes) : default));
        Assert.Equal(221_734L, Contact(("email", "a@example.com"), ("Subscribers count", "221734"), ("Subscribers count", "221.7K")).Followers);
    }

    [Theory]
    [InlineData("https://www.tiktok.com/@ann?lang=en", "ann")]
    [InlineData("https://instagram.com/ann/", "ann")]
    [InlineData("@ann", "ann")]
    [InlineData("@", null)]
    [InlineData("-", null)]
    public void A_handle_is_taken_out_of_what_stands_around_it(string cell, string? handle) =>
        Assert.Equal(handle, Contact(("email", "a@example.com"), ("handle", cell)).Handle);

    [Fact]
    public void A_name_and_a_handle_in_one_cell_are_divided()
    {
        Assert.Equal(("Ann B", "ann.b"), Name(Contact(("email", "a@example.com"), ("NAME", "Ann B @ann.b"))));
        Assert.Equal(("Ann @ home", null), Name(Contact(("email", "a@example.com"), ("NAME", "Ann @ home"))));
        Assert.Equal(("Ann B @other", "ann"), Name(Contact(("email", "a@example.com"), ("NAME", "Ann B @other"), ("handle", "ann"))));
    }

    [Fact]
    public void First_and_last_name_make_a_nickname_and_stay_attributes()
    {
        var contact = Contact(("email", "a@example.com"), ("first_name", "Ann"), ("last_name", "Lee"));

        Assert.Equal(("Ann Lee", """{"first_name":"Ann","last_name":"Lee"}"""), (contact.Nickname, contact.Attributes));
    }

    [Fact]
    public void Of_several_addresses_the_first_is_taken_and_the_others_are_kept()
    {
        var contact = Contact(("email", "b@; a@example.com; b@example.com / c@example.com"));

        Assert.Equal(("a@example.com", """{"other_emails":"b@example.com; c@example.com"}"""), (contact.Email, contact.Attributes));
    }

    [Fact]
    public void The_address_of_a_profile_gives_the_handle_and_is_kept()
    {
        var contact = Contact(("email", "a@example.com"), ("Profile URL", "https://www.tiktok.com/@ann.b?lang=en"));

        Assert.Equal(("ann.b", """{"profile_url":"https://www.tiktok.com/@ann.b?lang=en"}"""), (contact.Handle, contact.Attributes));
        Assert.Null(Contact(("email", "a@example.com"), ("url", "https://example.com/shop")).Handle);
    }

    [Fact]
    public void A_column_of_tags_is_no_attribute()
    {
        var contact = Contact(("email", "a@example.com"), ("Tags", "beauty; vegan"));

        Assert.Equal(["beauty", "vegan"], contact.Tags);
        Assert.Equal("{}", contact.Attributes);
        Assert.Equal("Tags", Problem(("email", "a@example.com"), ("Tags", new string('x', 101))).Field);
    }

    [Fact]
    public void Namibia_is_a_country() => Assert.Equal("NA", Contact(("email", "a@example.com"), ("country", "NA")).Country);

    private static (string?, string?) Name(StagedContact contact) => (contact.Nickname, contact.Handle);

    private StagedContact Contact(params (string Header, string Value)[] cells) => Map(cells) is (var contact, null) ? contact! : throw new InvalidOperationException("refused");

    private RowProblem Problem(params (string Header, string Value)[] cells) => Map(cells) is (null, { } problem) ? problem : throw new InvalidOperationException("accepted");

    private (StagedContact?, RowProblem?) Map((string Header, string Value)[] cells)
    {
        var columns = ColumnMapping.Of([.. cells.Select(c => c.Header)]);
        return _mapper.Map(1, 7, [.. cells.Select((c, i) => new ImportCell(columns[i], c.Value))]);
    }
}
