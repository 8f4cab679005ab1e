using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Edm.Engine.Contacts;

namespace Edm.Engine.Imports;

/// <summary>Takes an address out of a cell.</summary>
internal static class EmailFinder
{
    private static readonly SearchValues<char> Separators = SearchValues.Create(";,|/\t\r\n，；、");

    /// <summary>Of a list longer than this the rest is not looked at.</summary>
    private const int MaxParts = 50;

    /// <summary>
    /// The address of a cell that is meant to hold one: plain, <c>mailto:</c>, <c>Name &lt;address&gt;</c>, or a list, of which the first member that is an address is taken.
    /// A member itself must be whole: guessing which part of a damaged one was meant could write to a stranger.
    /// </summary>
    /// <returns>False with a reason for people.</returns>
    public static bool TryRead(string cell, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? reason) =>
        TryRead(cell, out address, out _, out reason);

    /// <param name="others">The other addresses of a list, divided by <c>; </c>; null when there are none.</param>
    /// <returns>False with a reason for people.</returns>
    public static bool TryRead(string cell, [NotNullWhen(true)] out EmailAddress? address, out string? others, [NotNullWhen(false)] out string? reason)
    {
        others = null;
        if (EmailAddress.TryParse(cell, out address, out reason))
        {
            return true;
        }

        var text = cell.Trim();
        if (TryReadOne(text, out address))
        {
            reason = null;
            return true;
        }

        List<EmailAddress> found = [];
        foreach (var part in Parts(text))
        {
            if (IsHalf(part))
            {
                return false;
            }

            if (TryReadOne(part, out var one) && !found.Exists(a => a.Key == one.Key))
            {
                found.Add(one);
            }
        }

        if (found.Count == 0)
        {
            return false;
        }

        address = found[0];
        others = found.Count > 1 ? string.Join("; ", found.Skip(1)) : null;
        reason = null;
        return true;
    }

    /// <summary>Divided by marks; by spaces where everything between them has an @.</summary>
    private static IEnumerable<string> Parts(string text)
    {
        var start = 0;
        for (var parts = 0; parts < MaxParts && start <= text.Length; parts++)
        {
            var length = text.AsSpan(start).IndexOfAny(Separators);
            length = length < 0 ? text.Length - start : length;
            var part = text.Substring(start, length).Trim();
            start += length + 1;
            var words = part.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (var member in words.Length > 1 && words.All(w => w.Contains('@', StringComparison.Ordinal)) ? words : [part])
            {
                yield return member;
            }
        }
    }

    /// <summary>Half of an address that was cut in two: of <c>ann,b@example.com</c> the second half is somebody else.</summary>
    private static bool IsHalf(string part)
    {
        if (part.Length < 2 || RowMapper.IsPlaceholder(part))
        {
            return false;
        }

        foreach (var character in part)
        {
            if (!IsLocal(character))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadOne(string text, [NotNullWhen(true)] out EmailAddress? address)
    {
        var open = text.LastIndexOf('<');
        if (open >= 0 && text.EndsWith('>'))
        {
            text = text[(open + 1)..^1].Trim();
        }

        return EmailAddress.TryParse(WithoutScheme(text), out address);
    }

    /// <summary>
    /// The first address inside running text, such as a bio; null when there is none. Only the characters that addresses of people are made of count: what
    /// else the grammar allows before an @ (<c>= ! ' /</c>) is punctuation there.
    /// </summary>
    public static EmailAddress? FindIn(string text)
    {
        for (var at = text.IndexOf('@', StringComparison.Ordinal); at >= 0; at = text.IndexOf('@', at + 1))
        {
            var start = at;
            while (start > 0 && IsLocal(text[start - 1]))
            {
                start--;
            }

            var end = at + 1;
            while (end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] is '.' or '-'))
            {
                end++;
            }

            var local = text.AsSpan(start, at - start).TrimStart(".-_+%");
            var domain = text.AsSpan(at + 1, end - at - 1).TrimEnd(".-");
            if (!local.IsEmpty && EndsInLetters(domain) && EmailAddress.TryParse($"{local}@{domain}", out var address))
            {
                return address;
            }
        }

        return null;
    }

    private static string WithoutScheme(string text) => text.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? text["mailto:".Length..] : text;

    private static bool IsLocal(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-' or '+' or '%';

    private static bool EndsInLetters(ReadOnlySpan<char> domain)
    {
        var last = domain[(domain.LastIndexOf('.') + 1)..];
        return last.Length >= 2 && char.IsAsciiLetter(last[0]);
    }
}
