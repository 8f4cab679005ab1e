using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Engine.Contacts;

namespace Edm.Engine.Imports;

/// <summary>One value of a row that is not empty.</summary>
internal readonly record struct ImportCell(ImportColumn Column, string Value);

/// <summary>Makes a contact of a row, or says why it can't be one. Not thread-safe: it keeps its buffers.</summary>
internal sealed class RowMapper
{
    public const int MaxAttributes = 64;
    public const int MaxAttributeLength = ContactLimits.AttributeLength;
    /// <summary>Where the further addresses of a cell are kept.</summary>
    public const string OtherAddresses = "other_emails";

    private const int MaxFieldLength = ContactLimits.Length;
    private const int MaxBioLength = ContactLimits.BioLength;

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly SearchValues<char> HandleCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static readonly string[] NamesInPath = ["instagram.com", "twitter.com", "x.com", "tiktok.com", "youtube.com", "twitch.tv", "threads.net", "facebook.com", "snapchat.com", "pinterest.com"];

    private static readonly int Fields = Enum.GetValues<ContactField>().Length;

    private readonly ImportCell?[] _chosen = new ImportCell?[Fields];
    private readonly List<ImportCell> _others = [];
    private readonly ArrayBufferWriter<byte> _json = new(1024);
    private readonly TagCell _tags = new();

    /// <summary>How many different names of tags came so far, up to <see cref="TagCell.MaxKept"/>.</summary>
    public int NamedTags => _tags.Kept;

    /// <returns>The contact, or the problem.</returns>
    public (StagedContact? Contact, RowProblem? Problem) Map(long nr, long line, IReadOnlyList<ImportCell> cells)
    {
        if (Choose(cells) is { } unfit)
        {
            return (null, RowProblem.Of(line, unfit.Column.Name, unfit.Value, unfit.Reason));
        }

        if (!Email(out var address, out var otherAddresses, out var missing))
        {
            return (null, RowProblem.Of(line, missing.Column, missing.Value, missing.Reason));
        }

        long? followers = null;
        if (_chosen[(int)ContactField.Followers] is { } count)
        {
            if (!CompactNumber.TryParse(count.Value, out var number))
            {
                return (null, RowProblem.Of(line, count.Column.Name, count.Value, "not a number of followers, such as 1300000, 1,300,000 or 1.3M"));
            }

            followers = number;
        }

        var handle = Handle(Text(ContactField.Handle)) ?? HandleOf(Text(ContactField.ProfileUrl));
        var nickname = Text(ContactField.Nickname) ?? FullName();
        if (handle is null && nickname is { } both)
        {
            (nickname, handle) = Split(both);
        }

        if (_others.Count > MaxAttributes)
        {
            return (null, RowProblem.Of(line, _others[MaxAttributes].Column.Name, _others[MaxAttributes].Value, $"more than {MaxAttributes} further columns have a value in this row"));
        }

        IReadOnlyList<string> tags = [];
        if (_chosen[(int)ContactField.Tags] is { } labels && !_tags.TryRead(labels.Value, out tags, out var tagReason))
        {
            return (null, RowProblem.Of(line, labels.Column.Name, labels.Value, tagReason));
        }

        return (new StagedContact(
            nr, address.Address, address.Key, handle, nickname, followers,
            Country(Text(ContactField.Country)), Text(ContactField.Language), Text(ContactField.Category), Text(ContactField.Bio), Attributes(otherAddresses))
        {
            Tags = tags,
            TagsColumn = tags.Count > 0 ? _chosen[(int)ContactField.Tags]!.Value.Column.Name : "",
        }, null);
    }

    /// <summary>Puts every cell where it belongs; answers the first that may not be stored at all.</summary>
    private (ImportColumn Column, string Value, string Reason)? Choose(IReadOnlyList<ImportCell> cells)
    {
        Array.Clear(_chosen);
        _others.Clear();
        foreach (var raw in cells)
        {
            var cell = raw with { Value = raw.Value.Trim() };
            var field = cell.Column.Field;
            if (cell.Value.Length == 0 || field is not (ContactField.Attribute or ContactField.Nickname or ContactField.Bio or ContactField.ProfileUrl or ContactField.Tags) && IsPlaceholder(cell.Value))
            {
                continue;
            }

            var limit = field switch
            {
                ContactField.Attribute or ContactField.ProfileUrl => MaxAttributeLength,
                ContactField.Bio => MaxBioLength,
                ContactField.Tags => TagCell.MaxCell,
                _ => MaxFieldLength,
            };
            if (cell.Value.Length > limit)
            {
                return (cell.Column, cell.Value, $"longer than {limit} characters");
            }

            if (cell.Value.Contains('\0', StringComparison.Ordinal))
            {
                return (cell.Column, cell.Value, "holds a NUL character");
            }

            Place(cell);
        }

        return null;
    }

    private void Place(ImportCell cell)
    {
        var field = cell.Column.Field;
        if (field == ContactField.Attribute)
        {
            Keep(cell);
            return;
        }

        if (field == ContactField.Ignored)
        {
            return;
        }

        ref var chosen = ref _chosen[(int)field];
        if (chosen is { } before)
        {
            var wins = cell.Column.Rank < before.Column.Rank || (cell.Column.Rank == before.Column.Rank && IsMoreExact(field, cell.Value, before.Value));
            var loser = wins ? before : cell;
            chosen = wins ? cell : before;
            // Two columns under one header say one thing twice; the loser adds nothing.
            if (loser.Column.Attribute != chosen.Value.Column.Attribute || field == ContactField.ProfileUrl)
            {
                Keep(loser);
            }

            return;
        }

        chosen = cell;
        if (field is ContactField.FirstName or ContactField.LastName or ContactField.ProfileUrl)
        {
            Keep(cell);
        }
    }

    private void Keep(ImportCell cell)
    {
        // A column without a header has no name to be found by.
        if (cell.Column.Attribute.Length > 0)
        {
            _others.Add(cell);
        }
    }

    /// <summary>Exports often have a rounded column beside the exact one: 221.7K, 221700.</summary>
    private static bool IsMoreExact(ContactField field, string value, string other) =>
        field == ContactField.Followers && value.All(char.IsAsciiDigit) && !other.All(char.IsAsciiDigit);

    private bool Email([NotNullWhen(true)] out EmailAddress? address, out string? others, out (string Column, string Value, string Reason) missing)
    {
        (missing, others) = (default, null);
        if (_chosen[(int)ContactField.Email] is { } cell)
        {
            if (EmailFinder.TryRead(cell.Value, out address, out others, out var reason))
            {
                return true;
            }

            missing = (cell.Column.Name, cell.Value, $"not an e-mail address: {reason}");
            return false;
        }

        var bio = _chosen[(int)ContactField.Bio];
        address = bio is { } text ? EmailFinder.FindIn(text.Value) : null;
        missing = ("email", "", bio is null ? "no e-mail address" : "no e-mail address, also not in the bio");
        return address is not null;
    }

    private string? Text(ContactField field) => _chosen[(int)field]?.Value;

    private string? FullName()
    {
        var name = $"{Text(ContactField.FirstName)} {Text(ContactField.LastName)}".Trim();
        return name.Length > 0 ? name : null;
    }

    private static string? Handle(string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Contains('/', StringComparison.Ordinal))
        {
            // https://www.tiktok.com/@name?lang=en
            text = HandleOf(text) ?? LastPart(text) ?? text;
        }

        text = text.TrimStart('@').Trim();
        return text.Length > 0 ? text : null;
    }

    /// <summary>Null where it is no address, or one that hides a control character, such as <c>%00</c>.</summary>
    private static string? LastPart(string text) =>
        text.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out var url) && Uri.UnescapeDataString(url.Segments[^1].Trim('/')) is var part && !part.Any(char.IsControl)
            ? part
            : null;

    /// <summary>
    /// The handle in the address of a profile: the first part of the path that begins with @, or all of the path where the site is known to name people so.
    /// Null for any other page.
    /// </summary>
    private static string? HandleOf(string? text)
    {
        if (text is null || !Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}", UriKind.Absolute, out var url) || !url.Host.Contains('.', StringComparison.Ordinal))
        {
            return null;
        }

        var parts = Uri.UnescapeDataString(url.AbsolutePath).Split('/', StringSplitOptions.RemoveEmptyEntries);
        var name = parts.FirstOrDefault(p => p.Length > 1 && p[0] == '@')?[1..]
            ?? (parts.Length == 1 && NamesInPath.Any(site => url.Host.EndsWith(site, StringComparison.OrdinalIgnoreCase)) ? parts[0] : null);
        return name is not null && name.AsSpan().IndexOfAnyExcept(HandleCharacters) < 0 ? name : null;
    }

    /// <summary>Some exports have both in one cell: <c>Display Name @handle</c>.</summary>
    private static (string? Nickname, string? Handle) Split(string nickname)
    {
        var at = nickname.LastIndexOf('@');
        return at >= 0 && (at == 0 || char.IsWhiteSpace(nickname[at - 1])) && at + 1 < nickname.Length
            && nickname.AsSpan(at + 1).IndexOfAnyExcept(HandleCharacters) < 0
            ? (nickname[..at].Trim() is { Length: > 0 } name ? name : null, nickname[(at + 1)..])
            : (nickname, null);
    }

    /// <summary>ISO 3166 codes are written in capitals; names stay as they are.</summary>
    private static string? Country(string? text) =>
        text is { Length: 2 } && char.IsAsciiLetter(text[0]) && char.IsAsciiLetter(text[1]) ? text.ToUpperInvariant() : text;

    // Not NA: that is Namibia.
    internal static bool IsPlaceholder(string text) => text.Length <= 5 && (text is "-" or "--" or "—" or "–" or "\\N"
        || text.Equals("n/a", StringComparison.OrdinalIgnoreCase) || text.Equals("#n/a", StringComparison.OrdinalIgnoreCase)
        || text.Equals("null", StringComparison.OrdinalIgnoreCase) || text.Equals("none", StringComparison.OrdinalIgnoreCase)
        || text.Equals("nan", StringComparison.OrdinalIgnoreCase));

    private string Attributes(string? otherAddresses)
    {
        if (_others.Count == 0 && otherAddresses is null)
        {
            return "{}";
        }

        _json.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_json, Json);
        writer.WriteStartObject();
        for (var i = 0; i < _others.Count; i++)
        {
            // Of one name the last value counts, as in JSON; PostgreSQL and SQLite would each keep another one.
            if (!IsSaidAgain(i))
            {
                writer.WriteString(_others[i].Column.Attribute, _others[i].Column.Form.Normal(_others[i].Value));
            }
        }

        if (otherAddresses is not null)
        {
            writer.WriteString(OtherAddresses, otherAddresses);
        }

        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(_json.WrittenSpan);
    }

    private bool IsSaidAgain(int index)
    {
        for (var i = index + 1; i < _others.Count; i++)
        {
            if (_others[i].Column.Attribute == _others[index].Column.Attribute)
            {
                return true;
            }
        }

        return false;
    }
}
