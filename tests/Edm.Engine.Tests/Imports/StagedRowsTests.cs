using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class StagedRowsTests
{
    private readonly StagedRows _rows = new();

    [Fact]
    public void A_row_comes_out_as_it_went_in()
    {
        var contact = new StagedContact(7, "Ann@example.com", "ann@example.com", null, "Zoë", 12, "FR", null, "日本", "a bio", """{"a":"b"}""") { Tags = ["x", "y"] };

        var row = _rows.AddFolded(contact, hash: 1);

        var read = _rows.Contact(row);
        Assert.Equal(contact with { Tags = [] }, read with { Tags = [] });
        Assert.Equal(contact.Tags, read.Tags);
    }

    [Fact]
    public void Rows_of_one_address_know_of_each_other()
    {
        int[] added = [.. new[] { "a", "b", "a", "c", "a", "b" }.Select(key => Add(key))];

        Assert.Equal([0, 1, 2, 3, 4, 5], added);
        Assert.Equal([0, 2, 4], _rows.OfAddress(0));
        Assert.Equal([1, 5], _rows.OfAddress(1));
        Assert.Equal([3], _rows.OfAddress(3));
        Assert.Equal([false, false, true, false, true, true], added.Select(row => _rows[row].IsAgain));
    }

    [Fact]
    public void So_do_many_rows_of_few_hashes()
    {
        const int Count = 5_000;
        for (var i = 0; i < 2 * Count; i++)
        {
            Add($"{i % Count}", hash: 1 + (i % Count % 3));
        }

        Assert.All(Enumerable.Range(0, Count), first => Assert.Equal([first, first + Count], _rows.OfAddress(first)));
    }

    [Fact]
    public void Nothing_is_left_of_the_chunk_before()
    {
        Add("a");
        _rows.Keep("original");
        Add("a");

        _rows.Clear();

        Assert.Equal((0, 0), (_rows.Count, _rows.Size));
        Add("a");
        Assert.Equal((false, null, "a"), (_rows[0].IsAgain, _rows[0].Original, _rows.KeyOf(0)));
        Assert.Equal([0], _rows.OfAddress(0));
    }

    [Fact]
    public void Without_some_rows_the_others_are_as_if_they_had_come_alone()
    {
        long nr = 0;
        foreach (var key in (string[])["a", "b", "a", "b", "a", "c"])
        {
            Add(key, AddressHash.Of(key), ++nr);
        }

        _rows.Remove(new HashSet<long> { 1, 4 });

        Assert.Equal([2L, 3L, 5L, 6L], Enumerable.Range(0, _rows.Count).Select(row => _rows[row].Nr));
        Assert.Equal([0, 1, 3], _rows.Firsts());
        Assert.Equal([[0], [1, 2], [3]], _rows.Firsts().Select(_rows.OfAddress));
    }

    private int Add(string key) => Add(key, AddressHash.Of(key));

    private int Add(string key, int hash, long nr = 0)
    {
        var place = _rows.Add(key.AsSpan());
        return _rows.Add(new StagedRow { Nr = nr, Email = place, EmailKey = place, Hash = hash });
    }
}
