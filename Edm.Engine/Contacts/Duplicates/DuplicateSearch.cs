using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Duplicates;

/// <summary>Why some contacts are likely one person.</summary>
public enum DuplicateReason
{
    /// <summary>The same address, but for a +tag and, at Gmail, dots.</summary>
    Mailbox,

    Handle,

    /// <summary>The same nickname at one domain.</summary>
    NicknameAndDomain,
}

/// <param name="Count">Of all of them; <paramref name="Contacts"/> are the oldest.</param>
public sealed record DuplicateGroup(DuplicateReason Reason, int Count, IReadOnlyList<Contact> Contacts);

/// <summary>
/// Contacts that are likely one person, the surest reason first. A page costs a look at every contact of the user (there is no index on what hardly anybody asks), in memory
/// that does not depend on how many are alike.
/// </summary>
public sealed class DuplicateSearch(EdmDatabase database)
{
    public const int MaxPage = 100;

    /// <summary>Of one group. More than a person would merge by hand; those after them show once these are merged.</summary>
    public const int MaxShown = 20;

    /// <param name="after">What the page before answered; null for the first.</param>
    /// <returns>At most <paramref name="limit"/> groups, and what the next page goes on after; null at the end.</returns>
    /// <exception cref="FieldException">The mark is none.</exception>
    public Task<(IReadOnlyList<DuplicateGroup> Groups, string? Next)> PageAsync(UserId user, string? after, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPage);
        var (reason, id) = Mark(after);
        return database.RunAsync<(IReadOnlyList<DuplicateGroup>, string?)>(
            async connection =>
            {
                await using var snapshot = await connection.BeginReadAsync(cancellation);
                var groups = new List<DuplicateGroup>();
                for (; reason <= DuplicateReason.NicknameAndDomain; (reason, id) = (reason + 1, 0))
                {
                    groups.AddRange(await FindAsync(connection, user, reason, id, limit - groups.Count, cancellation));
                    if (groups.Count == limit)
                    {
                        var last = groups[^1];
                        return (groups, string.Create(CultureInfo.InvariantCulture, $"{(int)last.Reason}.{last.Contacts[0].Id}"));
                    }
                }

                return (groups, null);
            },
            cancellation);
    }

    // The mark names the oldest contact of the last group: nothing about anybody.
    private static (DuplicateReason Reason, long Id) Mark(string? after)
    {
        if (after is null)
        {
            return (DuplicateReason.Mailbox, 0);
        }

        var parts = after.Split('.');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var reason) && reason <= (int)DuplicateReason.NicknameAndDomain
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? ((DuplicateReason)reason, id)
            : throw new FieldException("after", "This is not the 'next' of a page of duplicates.");
    }

    private static async Task<IEnumerable<DuplicateGroup>> FindAsync(
        EdmConnection connection, UserId user, DuplicateReason reason, long after, int limit, CancellationToken cancellation)
    {
        var found = new List<(long First, int Count, ContactId Contact)>();
        var (key, only) = Key(connection.IsPostgres, reason);
        await new SqlBatch(connection).Read(
            $"""
            WITH keyed AS (SELECT id, {key} AS alike FROM contacts WHERE user_id = @user AND {only}),
            alike AS (
              SELECT alike, min(id) AS first_id, count(*) AS contacts FROM keyed GROUP BY alike HAVING count(*) > 1 AND min(id) > @after ORDER BY min(id) LIMIT @limit),
            numbered AS (
              SELECT a.first_id, a.contacts, k.id, row_number() OVER (PARTITION BY a.first_id ORDER BY k.id) AS nr FROM alike a JOIN keyed k ON k.alike = a.alike)
            SELECT first_id, contacts, id FROM numbered WHERE nr <= @shown ORDER BY first_id, id
            """,
            row => found.Add((row.GetInt64(0), (int)row.GetInt64(1), new ContactId(row.GetInt64(2)))),
            ("@user", user.Value), ("@after", after), ("@limit", limit), ("@shown", MaxShown)).ExecuteAsync(cancellation);
        var ids = found.Select(one => one.Contact).ToArray();
        var rows = new Dictionary<ContactId, ContactRow>();
        foreach (var some in ids.Chunk(1000))
        {
            foreach (var row in await connection.GetTable<ContactRow>().Where(c => c.UserId == user && some.Contains(c.Id)).ToListAsync(cancellation))
            {
                rows.Add(row.Id, row);
            }
        }

        return found.GroupBy(one => one.First).Select(group => new DuplicateGroup(reason, group.First().Count, [.. group.Select(one => rows[one.Contact].ToContact())]));
    }

    // Quoted local parts may hold an @ and are left out: no provider in use has them.
    private static (string Key, string Only) Key(bool isPostgres, DuplicateReason reason)
    {
        var at = isPostgres ? "strpos(email_key, '@')" : "instr(email_key, '@')";
        var local = $"substr(email_key, 1, {at} - 1)";
        var domain = $"substr(email_key, {at} + 1)";
        var plus = isPostgres ? $"strpos({local}, '+')" : $"instr({local}, '+')";
        var account = $"CASE WHEN {plus} > 1 THEN substr(email_key, 1, {plus} - 1) ELSE {local} END";
        return reason switch
        {
            DuplicateReason.Mailbox => (
                $"CASE WHEN {domain} IN ('gmail.com', 'googlemail.com') THEN replace({account}, '.', '') || '@gmail.com' ELSE {account} || '@' || {domain} END", "email_key NOT LIKE '\"%'"),
            DuplicateReason.Handle => ("lower(handle)", "handle IS NOT NULL"),
            DuplicateReason.NicknameAndDomain => ($"lower(nickname) || '@' || {domain}", "nickname IS NOT NULL AND email_key NOT LIKE '\"%'"),
            _ => throw new InvalidOperationException($"{reason} is not a reason."),
        };
    }
}
