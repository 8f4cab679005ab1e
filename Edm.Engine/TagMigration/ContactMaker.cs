using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB.Data;
using LinqToDB.Mapping;

namespace Edm.Engine.TagMigration;

/// <summary>Finds the contacts of rows by their addresses, and makes those that EDM does not know yet.</summary>
/// <param name="fields">What the mapped columns of a row are, in their order.</param>
internal sealed class ContactMaker(string[] fields)
{
    private const int MaxText = 4000;

    private static readonly string[] Columns = ["handle", "nickname", "followers", "country", "language", "category", "bio"];

    /// <param name="suppressed">Which of some addresses may not come back.</param>
    /// <returns>Email key to ordinal, without those that may not come back; and how many are new.</returns>
    public async Task<(Dictionary<string, int> Ordinals, int Created)> ContactsAsync(
        EdmConnection connection, ContactBook book, UserId user, IEnumerable<ReadRow> rows,
        Func<IEnumerable<string>, Task<IReadOnlyDictionary<string, SuppressionReason>>> suppressed, long now, CancellationToken cancellation)
    {
        Dictionary<string, ReadRow> wanted = new(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            wanted.TryAdd(row.Email!.Key, row);
        }

        var found = (await connection.QueryToListAsync<Found>(
            $"SELECT email_key, ordinal FROM contacts WHERE user_id = @user AND email_key IN {MigrationSql.Texts(connection, "@keys")}",
            cancellation, new DataParameter("user", user.Value), MigrationSql.List("keys", wanted.Keys))).ToDictionary(f => f.EmailKey, f => f.Ordinal, StringComparer.Ordinal);
        var fresh = wanted.Values.Where(r => !found.ContainsKey(r.Email!.Key)).ToArray();
        var refused = fresh.Length == 0 ? null : await suppressed(fresh.Select(r => r.Email!.Key));
        fresh = refused is { Count: > 0 } ? [.. fresh.Where(r => !refused.ContainsKey(r.Email!.Key))] : fresh;
        if (fresh.Length == 0)
        {
            return (found, 0);
        }

        var ordinal = book.Take(fresh.Length);
        List<object?[]> values = [];
        foreach (var row in fresh)
        {
            found[row.Email!.Key] = ordinal;
            values.Add([ordinal++, row.Email.Address, row.Email.Key, .. Columns.Select(c => Field(row, c)), Attributes(row)]);
        }

        await connection.ExecuteAsync(
            $"""
            INSERT INTO contacts (user_id, ordinal, email, email_key, {string.Join(", ", Columns)}, attributes, status, created_at, updated_at)
            SELECT @user, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, 'active', @now, @now
            FROM {MigrationSql.Rows(connection, "@rows", "int", "text", "text", "text", "text", "bigint", "text", "text", "text", "text", "jsonb")} ORDER BY c0
            """,
            cancellation, new DataParameter("user", user.Value), new DataParameter("now", now), MigrationSql.List("rows", values));
        return (found, fresh.Length);
    }

    private object? Field(ReadRow row, string column)
    {
        var at = Array.IndexOf(fields, column);
        if (at < 0 || string.IsNullOrWhiteSpace(row.Fields[at]))
        {
            return null;
        }

        var text = Cut(row.Fields[at]!);
        return column != "followers" ? text : CompactNumber.TryParse(text, out var number) ? number : null;
    }

    private string Attributes(ReadRow row)
    {
        Dictionary<string, string> attributes = [];
        for (var i = 0; i < fields.Length; i++)
        {
            if (!Columns.Contains(fields[i]) && !string.IsNullOrWhiteSpace(row.Fields[i]))
            {
                attributes[fields[i]] = Cut(row.Fields[i]!);
            }
        }

        return JsonSerializer.Serialize(attributes);
    }

    private static string Cut(string text) => text.Length <= MaxText ? text.Trim() : text[..(char.IsHighSurrogate(text[MaxText - 1]) ? MaxText - 1 : MaxText)].Trim();

    private sealed record Found
    {
        [Column] public string EmailKey { get; init; } = "";
        [Column] public int Ordinal { get; init; }
    }
}
