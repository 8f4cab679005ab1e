namespace Edm.Engine.Imports;

/// <summary>What was found out, and why.</summary>
/// <param name="Told">Whether the file names its delimiter itself, in a first line <c>sep=;</c> as Excel writes it.</param>
internal sealed record FoundDialect(CsvDialect Dialect, bool Told, string Reason);

/// <summary>Finds out the dialect of a file by reading its first records in each dialect that is possible, and comparing how well they fit each other.</summary>
internal static class DialectDetector
{
    /// <summary>More tell nothing new.</summary>
    private const int MaxRecords = 100;

    private const int MaxChars = 32 * 1024;

    /// <summary>In the order of preference; the control characters are those that ASCII has for the purpose.</summary>
    private const string Usual = ",;\t|\x1F\x1E";

    /// <summary>Taken when no usual one divides anything.</summary>
    private const string Rare = "^~\x01，；:";

    /// <param name="start">The first characters of the file.</param>
    /// <param name="isWhole">Whether they are the whole of it; the last record may be cut otherwise.</param>
    public static FoundDialect Detect(ReadOnlySpan<char> start, bool isWhole)
    {
        isWhole &= start.Length <= MaxChars;
        start = start.Length > MaxChars ? start[..MaxChars] : start;
        var told = Told(ref start);
        var lineEnd = LineEndOf(start);
        var found = told is { } known
            ? Best([known], start, isWhole, lineEnd)
            : Best(Usual, start, isWhole, lineEnd) is { Columns: > 1 } usual ? usual : Best(Rare, start, isWhole, lineEnd) is { Columns: > 1, Fit: >= 0.99, Records: > 1 } rare ? rare : null;
        if (found is null)
        {
            return new FoundDialect(Best(",", start, isWhole, lineEnd)?.Dialect ?? CsvDialect.Rfc4180 with { LineEnd = lineEnd }, Told: false, "nothing divides the lines, so there is one column");
        }

        return new FoundDialect(
            found.Dialect, told is not null, told is not null ? "the first line names the delimiter" : $"it divides {found.Fitting} of the first {found.Records} rows into {found.Columns} columns");
    }

    private static char? Told(ref ReadOnlySpan<char> start)
    {
        if (start.Length < 6 || !start.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) || start[5] is not ('\r' or '\n'))
        {
            return null;
        }

        var delimiter = start[4];
        start = start[(start[5] == '\r' && start.Length > 6 && start[6] == '\n' ? 7 : 6)..];
        return delimiter;
    }

    /// <summary>The most frequent one outside of double quotes.</summary>
    private static LineEnd LineEndOf(ReadOnlySpan<char> text)
    {
        var counts = new int[3];
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"':
                    quoted = !quoted;
                    break;
                case '\n' when !quoted:
                    counts[(int)LineEnd.Lf]++;
                    break;
                case '\r' when i + 1 < text.Length && text[i + 1] == '\n':
                    counts[(int)LineEnd.CrLf] += quoted ? 0 : 1;
                    i++;
                    break;
                case '\r' when !quoted:
                    counts[(int)LineEnd.Cr]++;
                    break;
            }
        }

        return counts[(int)LineEnd.Cr] > counts[(int)LineEnd.Lf] + counts[(int)LineEnd.CrLf] ? LineEnd.Cr
            : counts[(int)LineEnd.CrLf] >= counts[(int)LineEnd.Lf] && counts[(int)LineEnd.CrLf] > 0 ? LineEnd.CrLf
            : LineEnd.Lf;
    }

    private static Reading? Best(ReadOnlySpan<char> delimiters, ReadOnlySpan<char> text, bool isWhole, LineEnd lineEnd)
    {
        Reading? best = null;
        foreach (var delimiter in delimiters)
        {
            if (delimiters.Length > 1 && !text.Contains(delimiter))
            {
                continue;
            }

            var reading = Quotes(new CsvDialect(delimiter, LineEnd: lineEnd), text, isWhole);
            if (reading.Records > 0 && (best is null || reading.IsBetterThan(best)))
            {
                best = reading;
            }
        }

        return best;
    }

    /// <summary>The quotes and spaces with which a delimiter fits best.</summary>
    private static Reading Quotes(CsvDialect dialect, ReadOnlySpan<char> text, bool isWhole)
    {
        var best = Reading.Of(dialect, text, isWhole);
        if (text.Contains('\\'))
        {
            // Only where a backslash repairs something: a path may end in one.
            best = Repaired(best, Reading.Of(best.Dialect with { Escape = '\\' }, text, isWhole));
        }

        if (SpacedQuotes(best.Dialect, text))
        {
            best = Reading.Of(best.Dialect with { SkipsSpace = true }, text, isWhole);
            best = text.Contains('\\') ? Repaired(best, Reading.Of(best.Dialect with { Escape = '\\' }, text, isWhole)) : best;
        }

        if (best.Quoted == 0 && text.Contains('\''))
        {
            var single = Reading.Of(dialect with { Quote = '\'' }, text, isWhole);
            // An apostrophe at the start of a word is opened and not closed, or holds nothing that would need it.
            best = single.Odd == 0 && single.Quoted > 0 && (single.Quoted >= 2 || single.Columns < best.Columns) && single.Fit >= best.Fit ? single : best;
        }

        return best;

        static Reading Repaired(Reading plain, Reading escaped) =>
            escaped.Odd < plain.Odd || (escaped.Odd == plain.Odd && escaped.Fit > plain.Fit + 0.001) ? escaped : plain;
    }

    /// <summary>Whether quotes stand behind a delimiter and a space, closed before the next delimiter: everywhere, or in several records.</summary>
    private static bool SpacedQuotes(CsvDialect dialect, ReadOnlySpan<char> text)
    {
        if (dialect.Delimiter == ' ')
        {
            return false;
        }

        ReadOnlySpan<char> spaced = [dialect.Delimiter, ' ', dialect.Quote];
        var (spacedQuotes, closed, bare, lines) = (0, 0, 0, 0);
        foreach (var line in text.EnumerateLines())
        {
            var before = spacedQuotes;
            var quoted = false;
            for (var i = 0; i < line.Length; i++)
            {
                if (line[i] == dialect.Quote)
                {
                    closed += quoted && (i + 1 == line.Length || line[i + 1] == dialect.Delimiter) ? 1 : 0;
                    quoted = !quoted;
                }
                else if (line[i] == dialect.Delimiter && !quoted)
                {
                    spacedQuotes += line[i..].StartsWith(spaced) ? 1 : 0;
                    bare += i + 1 < line.Length && line[i + 1] == ' ' ? 0 : 1;
                }
            }

            lines += spacedQuotes > before ? 1 : 0;
        }

        return spacedQuotes > 0 && 3 * closed >= 2 * spacedQuotes && (lines >= 2 || bare == 0);
    }

    /// <summary>The first records as one dialect reads them.</summary>
    private sealed record Reading(CsvDialect Dialect, int Records, int Columns, int Fitting, int Odd, int Quoted, bool FirstFits)
    {
        public double Fit => Records == 0 ? 0 : (double)Fitting / Records;

        public static Reading Of(CsvDialect dialect, ReadOnlySpan<char> text, bool isWhole)
        {
            var tokenizer = new CsvTokenizer(dialect);
            var widths = new List<int>(MaxRecords);
            var (odd, quoted) = (0, 0);
            while (!text.IsEmpty && widths.Count < MaxRecords)
            {
                var length = tokenizer.Read(text, isWhole);
                if (length < 0)
                {
                    if (widths.Count > 0)
                    {
                        break;
                    }

                    // All of the sample is one record, and a part of it.
                    length = tokenizer.Read(text, isFinal: true);
                }

                var first = tokenizer.Field(text, 0);
                var passes = tokenizer.FieldCount == 1 && first.IsWhiteSpace() || CsvLayout.BeginsRemark(first) && tokenizer.FieldCount == 1;
                if (!passes)
                {
                    widths.Add(tokenizer.FieldCount);
                }

                odd += tokenizer.OddQuotes + (tokenizer.Fault == QuoteFault.Unclosed ? 1 : 0);
                quoted += tokenizer.QuotedFields;
                text = text[length..];
            }

            // Which width is usual; of two that are as frequent the one that came first.
            var columns = widths.Count == 0 ? 0 : widths.GroupBy(w => w).MaxBy(g => g.Count())!.Key;
            return new Reading(dialect, widths.Count, columns, widths.Count(w => w == columns), odd, quoted, widths.Count > 0 && widths[0] == columns);
        }

        public bool IsBetterThan(Reading other)
        {
            if (Columns < 2 || other.Columns < 2)
            {
                return Columns > other.Columns;
            }

            var (fit, others) = (Score, other.Score);
            return fit > others + 0.15 || (fit > others - 0.15 && Columns > other.Columns);
        }

        // A wrong delimiter leaves quotes in the middle of values, and divides the header otherwise than the rows: 1,5;2,5 below a;b.
        private double Score => Records == 0 ? 0 : Fit - Math.Min(1, (double)Odd / Records) - (FirstFits ? 0 : 0.3);
    }
}
