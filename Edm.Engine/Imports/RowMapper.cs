using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Addresses;

namespace Edm.Engine.Imports;

/// <summary>Makes a contact of a row, or says why it can't be one. Not thread-safe: it keeps its buffers.</summary>
internal sealed class RowMapper
{
    public const int MaxAttributes = 64;
    public const int MaxAttributeLength = ContactLimits.AttributeLength;

    /// <summary>Of an export of EDM, where a contact may have as many as its user.</summary>
    private const int MaxExactTags = 10_000;

    /// <summary>Where the further addresses of a cell are kept.</summary>
    public const string OtherAddresses = "other_emails";

    private const int MaxFieldLength = ContactLimits.Length;
    private const int MaxBioLength = ContactLimits.BioLength;

    private static readonly SearchValues<char> HandleCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    private static readonly string[] NamesInPath = ["instagram.com", "twitter.com", "x.com", "tiktok.com", "youtube.com", "twitch.tv", "threads.net", "facebook.com", "snapchat.com", "pinterest.com"];

    private static readonly int Fields = Enum.GetValues<ContactField>().Length;

    // One without a column is none.
    private readonly ImportCell[] _chosen = new ImportCell[Fields];
    private readonly List<ImportCell> _others = [];
    private readonly AttributesJson _json = new();
    private readonly TagCell _tags = new();
    private readonly StagedRows _single = new();

    /// <summary>How many different names of tags came so far, up to <see cref="TagCell.MaxKept"/>.</summary>
    public int NamedTags => _tags.Kept;

    /// <returns>The contact, or the problem.</returns>
    public (StagedContact? Contact, RowProblem? Problem) Map(long nr, long line, List<ImportCell> cells)
    {
        var problem = Check(nr, line, cells);
        return problem is null ? (_single.Contact(0), null) : (null, problem);
    }

    /// <summary>As <see cref="Map(long, long, List{ImportCell}, StagedRows)"/>, for the problem alone.</summary>
    public RowProblem? Check(long nr, long line, List<ImportCell> cells)
    {
        _single.Clear();
        return Map(nr, line, cells, _single);
    }

    /// <param name="rows">Where the contact is laid in.</param>
    /// <returns>Why it can't be one; null when it is.</returns>
    public RowProblem? Map(long nr, long line, List<ImportCell> cells, StagedRows rows)
    {
        if (Choose(cells) is { } unfit)
        {
            return RowProblem.Of(line, unfit.Cell.Column.Name, unfit.Cell.Value, unfit.Reason);
        }

        var plain = Text(ContactField.Email);
        plain = PlainAddress.Is(plain, out var isLower) && isLower ? plain : default;
        EmailAddress? address = null;
        string? otherAddresses = null;
        if (plain.IsEmpty && !Email(out address, out otherAddresses, out var missing))
        {
            return RowProblem.Of(line, missing.Column, missing.Value, missing.Reason);
        }

        long? followers = null;
        if (_chosen[(int)ContactField.Followers] is { Column: not null } count)
        {
            if (!CompactNumber.TryParse(count.Text.Span, out var number))
            {
                return RowProblem.Of(line, count.Column.Name, count.Value, "not a number of followers, such as 1300000, 1,300,000 or 1.3M");
            }

            followers = number;
        }

        var isExact = _chosen[(int)ContactField.Email] is { Column.IsExact: true };
        if (_chosen[(int)ContactField.MoreAttributes] is { Column: not null } more && AddMore(more) is { } unreadable)
        {
            return RowProblem.Of(line, more.Column.Name, more.Value, unreadable);
        }

        var most = isExact ? ContactLimits.Attributes : MaxAttributes;
        if (_others.Count > most)
        {
            return RowProblem.Of(line, _others[most].Column.Name, _others[most].Value, $"more than {most} further columns have a value in this row");
        }

        IReadOnlyList<string> tags = [];
        if (_chosen[(int)ContactField.Tags] is { Column: not null } labels
            && !_tags.TryRead(labels.Text.Span, out tags, out var tagReason, labels.Column.IsExact ? MaxExactTags : TagCell.MaxTags))
        {
            return RowProblem.Of(line, labels.Column.Name, labels.Value, tagReason);
        }

        var status = StagedContact.ActiveStatus;
        if (_chosen[(int)ContactField.Status] is { Column: not null } said)
        {
            status = said.Value;
            if (!ContactStatuses.TryParse(status, out _))
            {
                return RowProblem.Of(line, said.Column.Name, status, $"not one of {string.Join(", ", ContactStatuses.All)}");
            }
        }

        var handle = isExact ? Text(ContactField.Handle) : Handle(Text(ContactField.Handle));
        handle = handle.IsEmpty && !isExact ? HandleOf(Text(ContactField.ProfileUrl)) : handle;
        var nickname = Text(ContactField.Nickname);
        nickname = nickname.IsEmpty ? FullName() : nickname;
        if (handle.IsEmpty && !isExact)
        {
            Split(ref nickname, ref handle);
        }

        var email = rows.Add(address is null ? plain : address.Address);
        var key = address is null || (object)address.Key == address.Address ? email : rows.Add(address.Key.AsSpan());
        rows.Add(new StagedRow
        {
            Nr = nr,
            Line = line,
            Email = email,
            EmailKey = key,
            Hash = AddressHash.Of(rows.Text(key)),
            Handle = rows.Add(handle),
            Nickname = rows.Add(nickname),
            Followers = followers,
            Country = rows.Add(isExact ? Text(ContactField.Country) : Country(Text(ContactField.Country), stackalloc char[2])),
            Language = rows.Add(Text(ContactField.Language)),
            Category = rows.Add(Text(ContactField.Category)),
            Bio = rows.Add(Text(ContactField.Bio)),
            Attributes = rows.Add(Attributes(otherAddresses)),
            FirstTag = rows.AddTags(tags),
            Tags = tags.Count,
            Status = status,
            TagsColumn = tags.Count > 0 ? _chosen[(int)ContactField.Tags].Column.Name : null,
        });
        return null;
    }

    /// <summary>Puts every cell where it belongs; answers the first that may not be stored at all.</summary>
    private (ImportCell Cell, string Reason)? Choose(List<ImportCell> cells)
    {
        Array.Clear(_chosen);
        _others.Clear();
        foreach (ref readonly var raw in CollectionsMarshal.AsSpan(cells))
        {
            var cell = new ImportCell(raw.Column, raw.Text.Trim());
            var text = cell.Text.Span;
            var field = cell.Column.Field;
            if (text.IsEmpty || !cell.Column.IsExact && field is not (ContactField.Attribute or ContactField.Nickname or ContactField.Bio or ContactField.ProfileUrl or ContactField.Tags) && IsPlaceholder(text))
            {
                continue;
            }

            var limit = field switch
            {
                ContactField.Tags or ContactField.MoreAttributes when cell.Column.IsExact => ImportOptions.MaxRowBytes,
                _ when cell.Column.IsExact => MaxAttributeLength,
                ContactField.Attribute or ContactField.ProfileUrl => MaxAttributeLength,
                ContactField.Bio => MaxBioLength,
                ContactField.Tags => TagCell.MaxCell,
                _ => MaxFieldLength,
            };
            if (text.Length > limit)
            {
                return (cell, $"longer than {limit} characters");
            }

            if (text.Contains('\0'))
            {
                return (cell, "holds a NUL character");
            }

            Place(cell);
        }

        return null;
    }

    private void Place(in ImportCell cell)
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
        if (chosen is { Column: not null } before)
        {
            var wins = cell.Column.Rank < before.Column.Rank || (cell.Column.Rank == before.Column.Rank && IsMoreExact(field, cell.Text.Span, before.Text.Span));
            var loser = wins ? before : cell;
            chosen = wins ? cell : before;
            // Two columns under one header say one thing twice; the loser adds nothing.
            if (loser.Column.Attribute != chosen.Column.Attribute || field == ContactField.ProfileUrl)
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

    private void Keep(in ImportCell cell)
    {
        // A column without a header has no name to be found by.
        if (cell.Column.Attribute.Length > 0)
        {
            _others.Add(cell);
        }
    }

    /// <summary>Exports often have a rounded column beside the exact one: 221.7K, 221700.</summary>
    private static bool IsMoreExact(ContactField field, ReadOnlySpan<char> value, ReadOnlySpan<char> other) =>
        field == ContactField.Followers && !value.ContainsAnyExceptInRange('0', '9') && other.ContainsAnyExceptInRange('0', '9');

    private bool Email([NotNullWhen(true)] out EmailAddress? address, out string? others, out (string Column, string Value, string Reason) missing)
    {
        (missing, others) = (default, null);
        if (_chosen[(int)ContactField.Email] is { Column: not null } cell)
        {
            if (EmailFinder.TryRead(cell.Value, out address, out others, out var reason))
            {
                return true;
            }

            missing = (cell.Column.Name, cell.Value, $"not an e-mail address: {reason}");
            return false;
        }

        var bio = _chosen[(int)ContactField.Bio];
        var hasBio = bio.Column is not null;
        address = hasBio ? EmailFinder.FindIn(bio.Value) : null;
        missing = ("email", "", hasBio ? "no e-mail address, also not in the bio" : "no e-mail address");
        return address is not null;
    }

    /// <summary>Empty when the row has none.</summary>
    private ReadOnlySpan<char> Text(ContactField field) => _chosen[(int)field].Text.Span;

    private ReadOnlySpan<char> FullName()
    {
        var first = Text(ContactField.FirstName);
        var last = Text(ContactField.LastName);
        return first.IsEmpty ? last : last.IsEmpty ? first : $"{first} {last}";
    }

    private static ReadOnlySpan<char> Handle(ReadOnlySpan<char> text)
    {
        if (text.Contains('/'))
        {
            // https://www.tiktok.com/@name?lang=en
            text = HandleOf(text) is { IsEmpty: false } name ? name : LastPart(text) is { } part ? part : text;
        }

        return text.TrimStart('@').Trim();
    }

    /// <summary>Null where it is no address, or one that hides a control character, such as <c>%00</c>.</summary>
    private static string? LastPart(ReadOnlySpan<char> text) =>
        text.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(text.ToString(), UriKind.Absolute, out var url) && Uri.UnescapeDataString(url.Segments[^1].Trim('/')) is var part && !part.Any(char.IsControl)
            ? part
            : null;

    /// <summary>
    /// The handle in the address of a profile: the first part of the path that begins with @, or all of the path where the site is known to name people so.
    /// Null for any other page.
    /// </summary>
    private static ReadOnlySpan<char> HandleOf(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || !Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text.ToString() : $"https://{text}", UriKind.Absolute, out var url)
            || !url.Host.Contains('.', StringComparison.Ordinal))
        {
            return default;
        }

        var parts = Uri.UnescapeDataString(url.AbsolutePath).Split('/', StringSplitOptions.RemoveEmptyEntries);
        var name = parts.FirstOrDefault(p => p.Length > 1 && p[0] == '@')?[1..]
            ?? (parts.Length == 1 && NamesInPath.Any(site => url.Host.EndsWith(site, StringComparison.OrdinalIgnoreCase)) ? parts[0] : null);
        return name is not null && name.AsSpan().IndexOfAnyExcept(HandleCharacters) < 0 ? name : default;
    }

    /// <summary>Some exports have both in one cell: <c>Display Name @handle</c>.</summary>
    private static void Split(ref ReadOnlySpan<char> nickname, ref ReadOnlySpan<char> handle)
    {
        var at = nickname.LastIndexOf('@');
        if (at >= 0 && (at == 0 || char.IsWhiteSpace(nickname[at - 1])) && at + 1 < nickname.Length && nickname[(at + 1)..].IndexOfAnyExcept(HandleCharacters) < 0)
        {
            handle = nickname[(at + 1)..];
            nickname = nickname[..at].Trim();
        }
    }

    /// <summary>ISO 3166 codes are written in capitals; names stay as they are.</summary>
    private static ReadOnlySpan<char> Country(ReadOnlySpan<char> text, Span<char> capitals)
    {
        if (text is not [var first, var second] || !char.IsAsciiLetter(first) || !char.IsAsciiLetter(second))
        {
            return text;
        }

        text.ToUpperInvariant(capitals);
        return capitals;
    }

    // Not NA: that is Namibia.
    internal static bool IsPlaceholder(ReadOnlySpan<char> text) => text.Length <= 5 && (text is "-" or "--" or "—" or "–" or "\\N"
        || text.Equals("n/a", StringComparison.OrdinalIgnoreCase) || text.Equals("#n/a", StringComparison.OrdinalIgnoreCase)
        || text.Equals("null", StringComparison.OrdinalIgnoreCase) || text.Equals("none", StringComparison.OrdinalIgnoreCase)
        || text.Equals("nan", StringComparison.OrdinalIgnoreCase));

    /// <returns>What is wrong with the cell, for people.</returns>
    private string? AddMore(ImportCell more)
    {
        try
        {
            using var document = JsonDocument.Parse(more.Text);
            foreach (var member in document.RootElement.EnumerateObject())
            {
                var value = member.Value.GetString()?.Trim();
                if (value?.Length > MaxAttributeLength || value?.Contains('\0', StringComparison.Ordinal) == true)
                {
                    return $"the value of '{member.Name}' is longer than {MaxAttributeLength} characters, or holds a NUL character";
                }

                if (!string.IsNullOrEmpty(value) && member.Name.Length > 0)
                {
                    _others.Add(new ImportCell(new ImportColumn(more.Column.Name, ContactField.Attribute, 0, member.Name) { IsExact = true }, value));
                }
            }

            return null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "not a JSON object of texts";
        }
    }

    /// <returns>Until the next row.</returns>
    private ReadOnlySpan<byte> Attributes(string? otherAddresses)
    {
        _json.Begin();
        for (var i = 0; i < _others.Count; i++)
        {
            // Of one name the last value counts, as in JSON; PostgreSQL and SQLite would each keep another one.
            if (!IsSaidAgain(i))
            {
                var column = _others[i].Column;
                var value = _others[i].Text.Span;
                _json.Add(column.Attribute, column.Form.IsNormal(value) ? value : column.Form.Normal(value.ToString()));
            }
        }

        if (otherAddresses is not null)
        {
            _json.Add(OtherAddresses, otherAddresses);
        }

        return _json.End();
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
