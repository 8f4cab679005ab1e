using System.Diagnostics.CodeAnalysis;
using Edm.Engine.Contacts;

namespace Edm.Engine.Imports;

/// <summary>Takes an address out of a cell.</summary>
internal static class EmailFinder
{
    private static readonly char[] Separators = [';', ',', '|', '/', ' ', '\t', '\r', '\n'];

    /// <summary>
    /// The address of a cell that is meant to hold one: plain, <c>mailto:</c>, <c>Name &lt;address&gt;</c>, or a list whose first is taken. Each member of a
    /// list must be an address: guessing which part of a damaged cell was meant could write to a stranger.
    /// </summary>
    /// <returns>False with a reason for people.</returns>
    public static bool TryRead(string cell, [NotNullWhen(true)] out EmailAddress? address, [NotNullWhen(false)] out string? reason)
    {
        var text = cell.Trim();
        var open = text.LastIndexOf('<');
        if (open >= 0 && text.EndsWith('>'))
        {
            text = text[(open + 1)..^1].Trim();
        }

        text = WithoutScheme(text);
        if (EmailAddress.TryParse(text, out address, out reason))
        {
            return true;
        }

        var parts = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length < 2)
        {
            return false;
        }

        EmailAddress? first = null;
        foreach (var part in parts)
        {
            if (!EmailAddress.TryParse(WithoutScheme(part), out var one))
            {
                return false;
            }

            first ??= one;
        }

        (address, reason) = (first!, null);
        return true;
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
