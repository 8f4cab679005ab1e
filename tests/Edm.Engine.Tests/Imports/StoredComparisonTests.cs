using CsCheck;
using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Engine.Imports.Chunks;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class StoredComparisonTests
{
    private static readonly Gen<string?> Text = OneOf<string?>(null, "a", "é");

    private static readonly Gen<string> Attributes =
        OneOf("{}", """{"a":"1"}""", """{"a": "1"}""", """{"a":"2"}""", """{"a":"1","bb":"2"}""", """{"bb": "2", "a": "1"}""", """{"a":"\u0031"}""", """{"a":"\""}""", """{"a": "\u0022"}""");

    private static readonly Gen<StagedContact> Contact = Gen.Select(
        OneOf("a@example.com", "A@example.com"), Text, Text, OneOf<long?>(null, 1, 2), Text, Attributes,
        (email, handle, bio, followers, country, attributes) => new StagedContact(1, email, "a@example.com", handle, null, followers, country, null, null, bio, attributes));

    private readonly StagedRows _rows = new();
    private readonly StoredRows _stored = new();

    [Theory]
    [InlineData(ConflictPolicy.Merge)]
    [InlineData(ConflictPolicy.Replace)]
    public void What_adds_nothing_by_its_bytes_adds_nothing_by_its_meaning(ConflictPolicy policy)
    {
        var (comparison, fold) = (new StoredComparison(policy), new ContactFold(policy));
        Gen.Select(Contact, Contact).Sample(
            (stored, row) =>
            {
                if (AddsNothing(comparison, stored, row))
                {
                    Assert.True(fold.Same(stored, fold.Onto(stored, row)));
                }
            },
            iter: 20_000,
            threads: 1);
    }

    [Theory]
    [InlineData(ConflictPolicy.Merge)]
    [InlineData(ConflictPolicy.Replace)]
    public void A_row_that_comes_again_is_seen_at_once_whatever_order_a_database_gives_its_attributes(ConflictPolicy policy)
    {
        var row = new StagedContact(1, "A@example.com", "a@example.com", "h", "n", 7, "DE", "de", "c", "b", """{"views":"1","city":"Köln"}""");

        Assert.True(AddsNothing(new StoredComparison(policy), row with { Attributes = """{"city": "Köln", "views": "1"}""" }, row));
        Assert.False(AddsNothing(new StoredComparison(policy), row with { Attributes = """{"city": "Köln", "views": "2"}""" }, row));
        Assert.False(AddsNothing(new StoredComparison(policy), row with { Bio = "c" }, row));
    }

    [Fact]
    public void A_value_that_is_missing_says_nothing_in_a_merge_and_takes_it_away_in_a_replacement()
    {
        var row = new StagedContact(1, "a@example.com", "a@example.com", null, null, null, null, null, null, null, "{}");
        var stored = row with { Handle = "h", Followers = 7, Attributes = """{"a": "1"}""" };

        Assert.True(AddsNothing(new StoredComparison(ConflictPolicy.Merge), stored, row));
        Assert.False(AddsNothing(new StoredComparison(ConflictPolicy.Replace), stored, row));
    }

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(at => values[at]);

    private bool AddsNothing(StoredComparison comparison, StagedContact stored, StagedContact row)
    {
        _rows.Clear();
        _stored.Clear();
        var rows = _stored.Rows;
        _stored.Add(new ContactId(1), 0, new StagedRow
        {
            Email = rows.Add(stored.Email.AsSpan()),
            EmailKey = rows.Add(stored.EmailKey.AsSpan()),
            Handle = rows.Add(stored.Handle.AsSpan()),
            Nickname = rows.Add(stored.Nickname.AsSpan()),
            Followers = stored.Followers,
            Country = rows.Add(stored.Country.AsSpan()),
            Language = rows.Add(stored.Language.AsSpan()),
            Category = rows.Add(stored.Category.AsSpan()),
            Bio = rows.Add(stored.Bio.AsSpan()),
            Attributes = rows.Add(stored.Attributes.AsSpan()),
        });
        return comparison.AddsNothing(_rows, _rows.AddFolded(row, hash: 1), _stored.Rows, 0);
    }
}
