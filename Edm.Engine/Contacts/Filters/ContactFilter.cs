using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Engine.Contacts.Filters;

/// <summary>A filter's text can't be read, names something that the user does not have, or asks for more than may be read.</summary>
/// <param name="position">Counted from 1.</param>
public sealed class ContactFilterException(string message, int position) : Exception($"{message} (at position {position})")
{
    public int Position { get; } = position;
}

/// <summary>
/// Which contacts are meant, in the user's own words:
/// <c>tag:beauty and not tag:contacted and followers &gt; 10k and country in (US, GB) and lastSent &lt; 30d ago</c>.
/// <para><see cref="FilterField.Known"/> are the fields, besides <c>attr.NAME</c> for what an import brought, <c>tag:NAME</c>, <c>untagged</c> and
/// <c>segment:NAME</c>. Tests: = != &lt; &lt;= &gt; &gt;= in, not in, between … and …, contains, starts with, is empty, and their negations; joined by and,
/// or, not and parentheses. Values are words or 'quoted'. The letters A–Z are the same in both cases. A missing value equals nothing, so it passes != and
/// not in. All dates are UTC.</para>
/// <para>A parsed filter knows no user: tags, segments and moments such as <c>30d ago</c> get their meaning by <see cref="BindAsync"/>.</para>
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

    /// <summary>Null for <see cref="All"/>.</summary>
    internal FilterNode? Root => _root;

    /// <summary>Empty text is <see cref="All"/>.</summary>
    /// <exception cref="ContactFilterException">With the position and, for an unknown field, the nearest known one.</exception>
    public static ContactFilter Parse(string? text) =>
        string.IsNullOrWhiteSpace(text) ? All : new ContactFilter(text, new ContactFilterParser(text).Parse());

    /// <summary>Those of a segment.</summary>
    public static ContactFilter OfSegment(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Parse($"segment:\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
    }

    /// <summary>The same filter with the user's tags looked up, segments put in, and moments reckoned from now; what is evaluated and written as SQL.</summary>
    /// <param name="connection">Only read. In a transaction, so that names and members are of the same moment.</param>
    /// <exception cref="ContactFilterException">There is no such tag or segment (with the nearest), or a segment contains itself.</exception>
    internal async Task<ContactFilter> BindAsync(EdmConnection connection, UserId user, DateTimeOffset now, CancellationToken cancellation) =>
        _root is null ? this : new ContactFilter(Text, await new FilterBinding(connection, user, now).BindAsync(_root, cancellation));

    /// <summary>
    /// A predicate over the table contacts for a WHERE, on the connection that the filter was bound on. What the user wrote goes into
    /// <paramref name="parameters"/> and never into the text.
    /// </summary>
    /// <param name="contacts">The name or alias under which the statement knows the table.</param>
    /// <exception cref="InvalidOperationException">The filter has to be bound first.</exception>
    internal string ToSql(bool isPostgres, ICollection<DataParameter> parameters, string contacts = "contacts") =>
        _root is null ? "(1 = 1)" : new ContactFilterSql(isPostgres, parameters, contacts).Of(_root);

    public override string ToString() => Text;
}
