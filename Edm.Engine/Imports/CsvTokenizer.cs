using System.Buffers;

namespace Edm.Engine.Imports;

/// <summary>What is odd about the quotes of a record.</summary>
internal enum QuoteFault
{
    None,

    /// <summary>Something stood behind a closing quote; the value was read as far as a line can be trusted.</summary>
    Misplaced,

    /// <summary>A quote was opened and not closed until the end of the file.</summary>
    Unclosed,
}

/// <summary>
/// Cuts records out of text and fields out of records, in any dialect. Not strict, since one odd row is no reason to refuse a file: a quote inside of an unquoted value is
/// text, and so is one inside of a quoted value that no delimiter follows, if the value is closed properly within the line. Not thread-safe: keeps the fields of the last record.
/// </summary>
internal sealed class CsvTokenizer(CsvDialect dialect)
{
    /// <summary>Of a record with more fields the rest is counted and not kept.</summary>
    public const int MaxFields = 4096;

    private readonly SearchValues<char> _ends = SearchValues.Create(
        [dialect.Delimiter, '\n', .. dialect.LineEnd == LineEnd.Cr ? "\r" : "", .. dialect.Escape is { } escape ? $"{escape}" : ""]);

    private (int Start, int Length, bool Unescaped)[] _fields = new (int, int, bool)[32];
    private char[] _unescaped = [];
    private int _unescapedLength;

    public CsvDialect Dialect => dialect;

    public int FieldCount { get; private set; }

    public QuoteFault Fault { get; private set; }

    /// <summary>The field that has the fault.</summary>
    public int FaultField { get; private set; }

    /// <summary>How many quotes of the last record were taken for text although they could have been meant otherwise.</summary>
    public int OddQuotes { get; private set; }

    /// <summary>Whether some field was quoted.</summary>
    public int QuotedFields { get; private set; }

    /// <param name="text">What the record was read from.</param>
    public ReadOnlySpan<char> Field(ReadOnlySpan<char> text, int index)
    {
        var (start, length, unescaped) = _fields[index];
        return unescaped ? _unescaped.AsSpan(start, length) : text.Slice(start, length);
    }

    /// <inheritdoc cref="Field"/>
    public ReadOnlyMemory<char> FieldText(ReadOnlyMemory<char> text, int index)
    {
        var (start, length, unescaped) = _fields[index];
        return unescaped ? _unescaped.AsMemory(start, length) : text.Slice(start, length);
    }

    /// <summary>Reads the record at the start of a text.</summary>
    /// <param name="isFinal">Whether nothing follows the text.</param>
    /// <returns>The length of the record with its line end; -1 when the text ends before it does.</returns>
    public int Read(ReadOnlySpan<char> text, bool isFinal)
    {
        (FieldCount, Fault, OddQuotes, QuotedFields, _unescapedLength) = (0, QuoteFault.None, 0, 0, 0);
        for (var position = 0; ;)
        {
            if (dialect.SkipsSpace)
            {
                while (position < text.Length && text[position] == ' ')
                {
                    position++;
                }
            }

            position = position < text.Length && text[position] == dialect.Quote ? Quoted(text, position, isFinal) : Plain(text, position, isFinal);
            if (position < 0)
            {
                return -1;
            }

            // Behind the field: a delimiter, a line end, or the end.
            if (position == text.Length)
            {
                return isFinal ? position : -1;
            }

            switch (text[position])
            {
                case '\r' when position + 1 == text.Length:
                    return isFinal ? position + 1 : -1;
                case '\r':
                    return text[position + 1] == '\n' ? position + 2 : position + 1;
                case '\n':
                    return position + 1;
                default:
                    position++;
                    break;
            }
        }
    }

    /// <returns>Where the field ends; -1 when that can't be seen yet.</returns>
    private int Plain(ReadOnlySpan<char> text, int start, bool isFinal)
    {
        var end = start;
        var escaped = false;
        while (true)
        {
            var next = text[end..].IndexOfAny(_ends);
            if (next < 0)
            {
                if (!isFinal)
                {
                    return -1;
                }

                end = text.Length;
                break;
            }

            end += next;
            if (text[end] != dialect.Escape)
            {
                break;
            }

            if (end + 1 >= text.Length && !isFinal)
            {
                return -1;
            }

            escaped = true;
            end = Math.Min(end + 2, text.Length);
        }

        // The CR of a CR LF.
        if (end > start && text[end - 1] == '\r' && (end == text.Length || text[end] == '\n'))
        {
            end--;
        }

        Keep(text, start, end, escaped);
        return end;
    }

    private int Quoted(ReadOnlySpan<char> text, int open, bool isFinal)
    {
        var (start, dirty) = (open + 1, false);
        for (var position = start; ;)
        {
            var next = dialect.Escape is { } escape ? text[position..].IndexOfAny(dialect.Quote, escape) : text[position..].IndexOf(dialect.Quote);
            if (next < 0)
            {
                if (!isFinal)
                {
                    return -1;
                }

                QuotedFields++;
                (Fault, FaultField) = (QuoteFault.Unclosed, FieldCount);
                Keep(text, start, text.Length, dirty);
                return text.Length;
            }

            position += next;
            if (position + 1 == text.Length && !isFinal)
            {
                return -1;
            }

            if (text[position] != dialect.Quote || (position + 1 < text.Length && text[position + 1] == dialect.Quote))
            {
                dirty = true;
                position = Math.Min(position + 2, text.Length);
                continue;
            }

            switch (Closes(text, position, isFinal, out var end))
            {
                case null:
                    return -1;
                case true:
                    QuotedFields++;
                    Keep(text, start, position, dirty);
                    return end;
            }

            OddQuotes++;
            switch (ClosesInLine(text, position, isFinal))
            {
                case null:
                    return -1;
                case true:
                    // As text.
                    position++;
                    continue;
            }

            // As spreadsheets do: the value ends here, and what follows up to the delimiter belongs to it.
            (Fault, FaultField) = (QuoteFault.Misplaced, FieldCount);
            QuotedFields++;
            return Torn(text, start, position, dirty);
        }
    }

    /// <summary>Whether a delimiter or a line end follows a quote, after spaces; null when that can't be seen yet.</summary>
    private bool? Closes(ReadOnlySpan<char> text, int quote, bool isFinal, out int end)
    {
        end = quote + 1;
        while (end < text.Length && text[end] == ' ' && dialect.Delimiter != ' ')
        {
            end++;
        }

        if (end == text.Length)
        {
            return isFinal ? true : null;
        }

        if (text[end] != '\r' || dialect.LineEnd == LineEnd.Cr)
        {
            return text[end] == dialect.Delimiter || text[end] is '\n' or '\r';
        }

        return end + 1 < text.Length ? text[end + 1] == '\n' : isFinal ? true : null;
    }

    /// <summary>Whether a quote behind this one closes before the line ends.</summary>
    private bool? ClosesInLine(ReadOnlySpan<char> text, int quote, bool isFinal)
    {
        for (var position = quote + 1; position < text.Length; position++)
        {
            if (text[position] == '\n' || (text[position] == '\r' && dialect.LineEnd == LineEnd.Cr))
            {
                return false;
            }

            if (text[position] == dialect.Escape)
            {
                position++;
            }
            else if (text[position] == dialect.Quote)
            {
                if (position + 1 < text.Length && text[position + 1] == dialect.Quote)
                {
                    position++;
                }
                else if (Closes(text, position, isFinal, out _) is not false and var closes)
                {
                    return closes;
                }
            }
        }

        return isFinal ? false : null;
    }

    private int Torn(ReadOnlySpan<char> text, int start, int quote, bool dirty)
    {
        var end = text[(quote + 1)..].IndexOfAny(dialect.Delimiter, '\n', dialect.LineEnd == LineEnd.Cr ? '\r' : '\n');
        end = end < 0 ? text.Length : quote + 1 + end;
        if (text[end - 1] == '\r' && (end == text.Length || text[end] == '\n'))
        {
            end--;
        }

        Keep(text, start, quote, dirty);
        if (FieldCount <= MaxFields)
        {
            ref var field = ref _fields[FieldCount - 1];
            var from = _unescapedLength;
            Append(Field(text, FieldCount - 1).ToString());
            Append(text[(quote + 1)..end]);
            field = (from, _unescapedLength - from, true);
        }

        return end;
    }

    private void Keep(ReadOnlySpan<char> text, int start, int end, bool escaped)
    {
        if (FieldCount++ >= MaxFields)
        {
            return;
        }

        if (FieldCount > _fields.Length)
        {
            Array.Resize(ref _fields, _fields.Length * 2);
        }

        if (!escaped)
        {
            _fields[FieldCount - 1] = (start, end - start, false);
            return;
        }

        var from = _unescapedLength;
        for (var position = start; position < end;)
        {
            var rest = text[position..end];
            var next = dialect.Escape is { } escape ? rest.IndexOfAny(dialect.Quote, escape) : rest.IndexOf(dialect.Quote);
            if (next < 0)
            {
                Append(rest);
                break;
            }

            Append(rest[..next]);
            position += next;
            var follows = position + 1 < end ? text[position + 1] : '\0';
            if (text[position] == dialect.Quote ? follows == dialect.Quote : IsEscapable(follows))
            {
                Append([follows]);
                position += 2;
            }
            else
            {
                Append(text.Slice(position, 1));
                position++;
            }
        }

        _fields[FieldCount - 1] = (from, _unescapedLength - from, true);
    }

    // What else follows a backslash is a path or a pattern.
    private bool IsEscapable(char character) => character == dialect.Quote || character == dialect.Escape || character == dialect.Delimiter || character is '\n' or '\r';

    private void Append(ReadOnlySpan<char> text)
    {
        if (_unescapedLength + text.Length > _unescaped.Length)
        {
            Array.Resize(ref _unescaped, Math.Max(256, Math.Max(_unescaped.Length * 2, _unescapedLength + text.Length)));
        }

        text.CopyTo(_unescaped.AsSpan(_unescapedLength));
        _unescapedLength += text.Length;
    }
}
