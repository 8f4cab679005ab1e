using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Contacts.Search;

/// <param name="Next">What the following page goes on after; null when this is the last one.</param>
public sealed record FoundContacts(IReadOnlyList<Contact> Contacts, string? Next);

/// <summary>Questions about a user's contacts. Each sees one moment, and its answer is exact.</summary>
public sealed class ContactSearch(EdmDatabase database, ContactSelection selection)
{
    /// <summary>A page is held in memory, and a contact may have 64 attributes of 4,000 characters.</summary>
    public const int MaxPage = 1000;

    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public async Task<long> CountAsync(UserId user, ContactFilter filter, CancellationToken cancellation = default)
    {
        if (TagQuestion.Of(filter) is { } tags && await database.RunAsync(connection => tags.AskAsync(connection, user, cancellation), cancellation) is { } quick)
        {
            return quick.Count;
        }

        return await ReadAsync(async connection => (long)(await selection.EvaluateAsync(connection, user, filter, cancellation)).Count, cancellation);
    }

    /// <summary>Stable while contacts come, go and change: what was there throughout is seen once.</summary>
    /// <param name="after"><see cref="FoundContacts.Next"/> of the page before, in the same order; null for the first.</param>
    /// <param name="limit">At most <see cref="MaxPage"/>.</param>
    /// <exception cref="FieldException">The mark is none, or the order can't be had.</exception>
    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public async Task<FoundContacts> PageAsync(
        UserId user, ContactFilter filter, ContactOrder order, string? after, int limit, CancellationToken cancellation = default)
    {
        RefuseLimit(limit);
        var mark = PageMark.Parse(after, order);
        if (order.Field is null && TagQuestion.Of(filter) is { } tags && await database.RunAsync(connection => QuickPageAsync(connection, user, tags, mark, limit, cancellation), cancellation) is { } quick)
        {
            return quick;
        }

        return await ReadAsync(
            async connection =>
            {
                var run = await selection.OpenAsync(connection, user, cancellation);
                var bound = await selection.BindAsync(connection, user, filter, cancellation);
                if (order.Field is not { } field)
                {
                    var page = await run.FirstAsync(bound, mark.Ordinal, limit, cancellation);
                    return new FoundContacts(
                        await LoadAsync(connection, user, page, cancellation),
                        page.Count < limit ? null : (mark with { Ordinal = page[^1] }).ToString());
                }

                var set = await run.EvaluateAsync(bound, cancellation);
                var sorted = SortedPage.Of(set, await run.ColumnAsync(field, set, cancellation), order, mark, limit);
                return new FoundContacts(
                    await LoadAsync(connection, user, [.. sorted.Select(item => item.Ordinal)], cancellation),
                    sorted.Count < limit ? null : (mark with { Ordinal = sorted[^1].Ordinal, Number = sorted[^1].Number, Text = sorted[^1].Text }).ToString());
            },
            cancellation);
    }

    /// <summary>The page of one moment and its contacts of the next: a snapshot would cost as much again as both.</summary>
    /// <returns>Null when the user does not have all of the tags.</returns>
    private static async Task<FoundContacts?> QuickPageAsync(EdmConnection connection, UserId user, TagQuestion tags, PageMark mark, int limit, CancellationToken cancellation)
    {
        if (connection.IsPostgres && tags.OnlyTag is { } tag && await DensePage.ReadAsync(connection, user, tag, mark.Ordinal, limit, cancellation) is { } dense)
        {
            return new FoundContacts([.. dense.Select(row => row.ToContact())], (mark with { Ordinal = dense[^1].Ordinal }).ToString());
        }

        if (await tags.AskAsync(connection, user, cancellation) is not { } set)
        {
            return null;
        }

        var page = set.After(mark.Ordinal).Take(limit).ToArray();
        return new FoundContacts(await LoadAsync(connection, user, page, cancellation), page.Length < limit ? null : (mark with { Ordinal = page[^1] }).ToString());
    }

    /// <summary>Some of them at random; the same ones for the same seed while the contacts stay the same.</summary>
    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public Task<IReadOnlyList<Contact>> SampleAsync(UserId user, ContactFilter filter, long seed, int count, CancellationToken cancellation = default)
    {
        RefuseLimit(count);
        return ReadAsync(
            async connection =>
            {
                var set = await selection.EvaluateAsync(connection, user, filter, cancellation);
                return await LoadAsync(connection, user, ContactSample.Of(set, seed, count), cancellation);
            },
            cancellation);
    }

    /// <summary>How the filter was understood, which parts of it are quick, and how many contacts each matches.</summary>
    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public Task<FilterExplanation> ExplainAsync(UserId user, ContactFilter filter, CancellationToken cancellation = default) => ReadAsync(
        async connection =>
        {
            var run = await selection.OpenAsync(connection, user, cancellation);
            return await FilterExplaining.OfAsync(connection, user, run, await selection.BindAsync(connection, user, filter, cancellation), cancellation);
        },
        cancellation);

    private static void RefuseLimit(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
    }

    private Task<T> ReadAsync<T>(Func<EdmConnection, Task<T>> read, CancellationToken cancellation) => database.RunAsync(
        async connection =>
        {
            await using var snapshot = await connection.BeginReadAsync(cancellation);
            return await read(connection);
        },
        cancellation);

    /// <returns>In the order of <paramref name="ordinals"/>.</returns>
    private static async Task<IReadOnlyList<Contact>> LoadAsync(EdmConnection connection, UserId user, IReadOnlyList<int> ordinals, CancellationToken cancellation)
    {
        if (ordinals.Count == 0)
        {
            return [];
        }

        var (byOrdinal, batch) = (new Dictionary<int, ContactRow>(), new SqlBatch(connection));
        await batch.Read(
            $"SELECT {ContactRow.Columns} FROM contacts WHERE user_id = @user AND ordinal {batch.In("@ordinals")}",
            row =>
            {
                var contact = ContactRow.Read(row);
                byOrdinal.Add(contact.Ordinal, contact);
            },
            ("@user", user.Value), ("@ordinals", ordinals.ToArray())).ExecuteAsync(cancellation);
        return [.. ordinals.Where(byOrdinal.ContainsKey).Select(ordinal => byOrdinal[ordinal].ToContact())];
    }
}
