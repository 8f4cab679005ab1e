namespace Edm.Engine.Imports;

/// <summary>A good row, or what is stored of a contact, to be compared and folded. A null says nothing about the contact and changes nothing.</summary>
/// <param name="Nr">The row's number in the file; later rows win.</param>
/// <param name="Attributes">A JSON object of strings.</param>
internal sealed record StagedContact(
    long Nr,
    string Email,
    string EmailKey,
    string? Handle,
    string? Nickname,
    long? Followers,
    string? Country,
    string? Language,
    string? Category,
    string? Bio,
    string Attributes)
{
    /// <summary>Names of tags, each once whatever its case; see <see cref="TagCell"/> for the bounds. Never null.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Of a contact that is not there yet; of one that is there an import never changes it.</summary>
    public string Status { get; init; } = ActiveStatus;

    internal const string ActiveStatus = "active";
}

/// <summary>Why a row was refused.</summary>
/// <param name="Line">Where the row begins, counted from 1.</param>
/// <param name="Field">The column, as the file names it.</param>
public sealed record RowProblem(long Line, string Field, string Value, string Reason)
{
    /// <summary>What is kept of a value: enough to find it, and no copy of a hostile megabyte.</summary>
    public const int MaxValue = 200;

    /// <summary>As it is stored: cut, and without NUL, which PostgreSQL can't hold.</summary>
    public static RowProblem Of(long line, string field, string value, string reason) => new(line, Clean(field), Clean(value), reason);

    private static string Clean(string text)
    {
        if (text.Length > MaxValue)
        {
            // Never half of a surrogate pair.
            text = text[..(char.IsHighSurrogate(text[MaxValue - 1]) ? MaxValue - 1 : MaxValue)];
        }

        return text.Replace('\0', '\uFFFD');
    }
}
