namespace Edm.Engine.Contacts.Filters;

internal enum FilterTokenKind
{
    Word,
    Quoted,
    Operator,
    Open,
    Close,
    Comma,
    Colon,
    End,
}

/// <param name="At">With the quotes.</param>
internal readonly record struct FilterToken(FilterTokenKind Kind, string Text, FilterSpan At)
{
    /// <summary>Counted from 1.</summary>
    public int Position => At.Position;

    /// <summary>Keywords are words in any case; a quoted one is a value.</summary>
    public bool Is(string keyword) => Kind == FilterTokenKind.Word && Text.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => Kind == FilterTokenKind.End ? "the end" : $"'{(Text.Length > 40 ? Text[..40] + "…" : Text)}'";
}

/// <summary>Cuts a filter into tokens.</summary>
internal static class ContactFilterLexer
{
    /// <exception cref="ContactFilterException">A quote is not closed, or a character has no meaning here.</exception>
    public static List<FilterToken> Read(string text)
    {
        RefuseUnstorable(text);
        var tokens = new List<FilterToken>();
        for (var i = 0; i < text.Length;)
        {
            var character = text[i];
            var start = i;
            if (char.IsWhiteSpace(character))
            {
                i++;
                continue;
            }

            FilterTokenKind kind;
            string value;
            if (character is '\'' or '"')
            {
                kind = FilterTokenKind.Quoted;
                value = Quoted(text, ref i);
            }
            else if (character is '(' or ')' or ',' or ':')
            {
                kind = character switch { '(' => FilterTokenKind.Open, ')' => FilterTokenKind.Close, ',' => FilterTokenKind.Comma, _ => FilterTokenKind.Colon };
                value = text[i++].ToString();
            }
            else if (character is '=' or '<' or '>' or '!')
            {
                kind = FilterTokenKind.Operator;
                i += i + 1 < text.Length && text[i + 1] == '=' ? 2 : 1;
                value = text[start..i];
                if (value == "!")
                {
                    throw new ContactFilterException("'!' means nothing alone; write != or not", start + 1);
                }
            }
            else if (IsWord(character))
            {
                kind = FilterTokenKind.Word;
                while (i < text.Length && (IsWord(text[i]) || IsInsideOfTime(text, start, i)))
                {
                    i++;
                }

                value = text[start..i];
            }
            else
            {
                throw new ContactFilterException($"'{character}' means nothing here; put a value with special characters in quotes", start + 1);
            }

            tokens.Add(new FilterToken(kind, value, new FilterSpan(start, i)));
        }

        tokens.Add(new FilterToken(FilterTokenKind.End, "", new FilterSpan(text.Length, text.Length)));
        return tokens;
    }

    // Neither can stand in a database's text, so nothing could be equal to it.
    private static void RefuseUnstorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0')
            {
                throw new ContactFilterException("A filter can't hold the character NUL", i + 1);
            }

            if (char.IsSurrogate(text[i]) && (!char.IsHighSurrogate(text[i]) || ++i == text.Length || !char.IsLowSurrogate(text[i])))
            {
                throw new ContactFilterException("Half of a character (a lone surrogate)", Math.Min(i + 1, text.Length));
            }
        }
    }

    // What stands in handles, addresses, numbers and names of any script.
    private static bool IsWord(char character) =>
        char.IsLetterOrDigit(character) || char.IsSurrogate(character) || character is '_' or '-' or '.' or '@' or '+' or '#' or '/' or '&' or '%'
        || char.GetUnicodeCategory(character) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    // 2026-01-31T10:00:00Z is one word, tag:2026 is three.
    private static bool IsInsideOfTime(string text, int start, int i) =>
        text[i] == ':' && char.IsAsciiDigit(text[start]) && char.IsAsciiDigit(text[i - 1]) && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]);

    // A doubled quote inside stands for one.
    private static string Quoted(string text, ref int i)
    {
        var quote = text[i];
        var start = i++;
        var value = new System.Text.StringBuilder();
        while (i < text.Length)
        {
            if (text[i] != quote)
            {
                value.Append(text[i++]);
            }
            else if (i + 1 < text.Length && text[i + 1] == quote)
            {
                value.Append(quote);
                i += 2;
            }
            else
            {
                i++;
                return value.ToString();
            }
        }

        throw new ContactFilterException("The quote is not closed", start + 1);
    }
}
