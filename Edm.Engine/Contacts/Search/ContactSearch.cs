using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Search;

/// <param name="Next">What the following page goes on after; null when this is the last one.</param>
public sealed record FoundContacts(IReadOnlyList<Contact> Contacts, string? Next);

/// <summary>Questions about a user's contacts. Each sees one moment, and its answer is exact.</summary>
public sealed class ContactSearch(EdmDatabase database, ContactSelection selection)
{
    /// <summary>A page is held in memory, and a contact may have 64 attributes of 4,000 characters.</summary>
    public const int MaxPage = 1000;

    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public Task<long> CountAsync(UserId user, ContactFilter filter, CancellationToken cancellation = default) =>
        ReadAsync(async connection => (long)(await selection.EvaluateAsync(connection, user, filter, cancellation)).Count, cancellation);

    /// <summary>Stable while contacts come, go and change: what was there throughout is seen once.</summary>
    /// <param name="after"><see cref="FoundContacts.Next"/> of the page before, in the same order; null for the first.</param>
    /// <param name="limit">At most <see cref="MaxPage"/>.</param>
    /// <exception cref="FieldException">The mark is none, or the order can't be had.</exception>
    /// <exception cref="ContactFilterException">A name is not known, or it would read too much.</exception>
    public Task<FoundContacts> PageAsync(
        UserId user, ContactFilter filter, ContactOrder order, string? after, int limit, CancellationToken cancellation = default)
    {
        RefuseLimit(limit);
        var mark = PageMark.Parse(after, order);
        return ReadAsync(
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

        // One text for all pages: linq2db compiles a reader for each text.
        var rows = await connection.QueryToListAsync<ContactRow>(
            $"SELECT * FROM contacts WHERE user_id = @user AND ordinal {(connection.IsPostgres ? "= ANY(@ordinals)" : "IN (SELECT value FROM json_each(@ordinals))")}",
            cancellation,
            new DataParameter("user", user.Value),
            connection.IsPostgres ? new DataParameter("ordinals", ordinals.ToArray()) : new DataParameter("ordinals", JsonSerializer.Serialize(ordinals), DataType.Text));
        var byOrdinal = rows.ToDictionary(row => row.Ordinal);
        return [.. ordinals.Where(byOrdinal.ContainsKey).Select(ordinal => byOrdinal[ordinal].ToContact())];
    }
}
