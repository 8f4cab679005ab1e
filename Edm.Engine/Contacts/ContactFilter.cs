using LinqToDB.Data;

namespace Edm.Engine.Contacts;

/// <summary>A filter's text can't be read.</summary>
/// <param name="position">Counted from 1.</param>
public sealed class ContactFilterException(string message, int position) : Exception($"{message} (at position {position})")
{
    public int Position { get; } = position;
}

/// <summary>
/// Which contacts are meant, in the user's own words: <c>country = US and followers &gt;= 10k and category in (beauty, fashion)</c>.
/// <para>Fields: handle, nickname, country, language, category, bio, email, domain, status, followers, and <c>attr.NAME</c> for what an import
/// brought besides. Tests: = != &lt; &lt;= &gt; &gt;= in, not in, contains, not contains, is empty, is not empty; joined by and, or, not and
/// parentheses. Values are words or 'quoted'. The letters A–Z are the same in both cases. A missing value equals nothing, so it passes != and not in.</para>
/// </summary>
public sealed class ContactFilter
{
    private readonly FilterNode? _root;

    private ContactFilter(string text, FilterNode? root)
    {
        Text = text;
        _root = root;
    }

    /// <summary>Every contact.</summary>
    public static ContactFilter All { get; } = new("", null);

    /// <summary>As the user wrote it.</summary>
    public string Text { get; }

    /// <summary>Empty text is <see cref="All"/>.</summary>
    /// <exception cref="ContactFilterException">With the position and, for an unknown field, the nearest known one.</exception>
    public static ContactFilter Parse(string? text) =>
        string.IsNullOrWhiteSpace(text) ? All : new ContactFilter(text, new ContactFilterParser(text).Parse());

    /// <summary>
    /// A predicate over the table contacts for a WHERE. What the user wrote goes into <paramref name="parameters"/> and never into the text.
    /// </summary>
    /// <param name="contacts">The name or alias under which the statement knows the table.</param>
    public string ToSql(bool isPostgres, ICollection<DataParameter> parameters, string contacts = "contacts") =>
        _root is null ? "(1 = 1)" : new ContactFilterSql(isPostgres, parameters, contacts).Of(_root);

    public override string ToString() => Text;
}

/// <summary>What a filter is made of, once parsed.</summary>
internal abstract record FilterNode
{
    public sealed record And(FilterNode Left, FilterNode Right) : FilterNode;

    public sealed record Or(FilterNode Left, FilterNode Right) : FilterNode;

    public sealed record Not(FilterNode Inner) : FilterNode;

    public sealed record TextIn(FilterField Field, IReadOnlyList<string> Values) : FilterNode;

    public sealed record TextContains(FilterField Field, string Value) : FilterNode;

    /// <param name="Operator">One of = &lt; &lt;= &gt; &gt;=.</param>
    public sealed record Compare(FilterField Field, string Operator, long Value) : FilterNode;

    public sealed record Empty(FilterField Field) : FilterNode;
}

/// <param name="Column">The column, or null for an attribute.</param>
/// <param name="Name">As the user knows it; of an attribute, its own name.</param>
internal sealed record FilterField(string Name, string? Column, FilterFieldKind Kind)
{
    public static IReadOnlyList<FilterField> Known { get; } =
    [
        new("handle", "handle", FilterFieldKind.Text),
        new("nickname", "nickname", FilterFieldKind.Text),
        new("country", "country", FilterFieldKind.Text),
        new("language", "language", FilterFieldKind.Text),
        new("category", "category", FilterFieldKind.Text),
        new("bio", "bio", FilterFieldKind.Text),
        new("email", "email_key", FilterFieldKind.Text),
        new("domain", "email_key", FilterFieldKind.Domain),
        new("status", "status", FilterFieldKind.Status),
        new("followers", "followers", FilterFieldKind.Number),
    ];
}

internal enum FilterFieldKind
{
    Text,
    Domain,
    Status,
    Number,
    Attribute,
}
