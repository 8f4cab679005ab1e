namespace Edm.Engine.Content;

/// <summary>
/// What a template may be and do. Its author is a user of ours and not trusted: one template must never take the process, or a lane, with it. Every
/// limit is far above what a mail needs.
/// </summary>
internal static class TemplateLimits
{
    /// <summary>Characters of a subject's template, of an HTML part, and of a text part.</summary>
    public const int MaxSubjectSource = 10_000;
    public const int MaxPartSource = 256 * 1024;

    /// <summary>Characters of one rendered part. Mail programs cut what is longer than 100 KB.</summary>
    public const int MaxOutput = 1024 * 1024;

    /// <summary>RFC 5322 folds a subject, people do not: what is longer than this is a mistake.</summary>
    public const int MaxSubject = 1_000;

    /// <summary>Statements executed for one mail.</summary>
    public const int MaxSteps = 10_000;

    /// <summary>Characters of one value that a template makes, and elements of one list.</summary>
    public const int MaxValue = 64 * 1024;
    public const int MaxElements = 10_000;

    /// <summary>Wall time of one rendering; a usual one takes microseconds.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    // The parser and the renderer recurse, and a stack that overflows can't be caught: these three bound its depth.
    private const int MaxTag = 2_000;
    private const int MaxBrackets = 16;
    private const int MaxBlocks = 32;

    private static readonly HashSet<string> Blocks = ["if", "unless", "case", "for", "tablerow", "capture"];

    /// <summary>Refuses what the parser must not see.</summary>
    /// <exception cref="TemplateException">Names part, line and column.</exception>
    public static void Check(string part, string source, int maxLength)
    {
        if (source.Length > maxLength)
        {
            throw new TemplateException($"{part}: the template is {source.Length} characters long, and {maxLength} are allowed.", part);
        }

        var depth = 0;
        for (var open = NextTag(source, 0); open >= 0;)
        {
            var output = source[open + 1] == '{';
            var end = source.IndexOf(output ? "}}" : "%}", open + 2, StringComparison.Ordinal);
            if ((end < 0 ? source.Length : end) - open > MaxTag)
            {
                throw At(part, source, open, $"a tag that begins here is longer than {MaxTag} characters, or is never closed");
            }

            var tag = source.AsSpan(open + 2, (end < 0 ? source.Length : end) - open - 2);
            CheckBrackets(part, source, open, tag);
            var name = output ? default : Name(tag);
            if (name is "raw" or "comment")
            {
                end = source.IndexOf($"end{name}", open + 2, StringComparison.Ordinal);
            }
            else if (name.StartsWith("end"))
            {
                depth--;
            }
            else if (Blocks.GetAlternateLookup<ReadOnlySpan<char>>().Contains(name) && ++depth > MaxBlocks)
            {
                throw At(part, source, open, $"blocks are nested deeper than {MaxBlocks}");
            }

            open = end < 0 ? -1 : NextTag(source, end);
        }
    }

    /// <summary>An error at a place of the source; line and column count from 1.</summary>
    public static TemplateException At(string part, string source, int offset, string what)
    {
        var before = source.AsSpan(0, Math.Min(offset, source.Length));
        var line = before.Count('\n') + 1;
        var column = before.Length - (before.LastIndexOf('\n') + 1) + 1;
        return At(part, line, column, what);
    }

    public static TemplateException At(string part, int line, int column, string what) =>
        new($"{part}, line {line}, column {column}: {what}.", part, line, column);

    private static void CheckBrackets(string part, string source, int open, ReadOnlySpan<char> tag)
    {
        var brackets = 0;
        foreach (var c in tag)
        {
            brackets += c switch { '[' or '(' => 1, ']' or ')' => -1, _ => 0 };
            if (brackets > MaxBrackets)
            {
                throw At(part, source, open, $"brackets are nested deeper than {MaxBrackets} in the tag that begins here");
            }
        }
    }

    private static ReadOnlySpan<char> Name(ReadOnlySpan<char> tag)
    {
        tag = tag.TrimStart("- \t\r\n");
        var end = 0;
        while (end < tag.Length && (char.IsLetterOrDigit(tag[end]) || tag[end] == '_'))
        {
            end++;
        }

        return tag[..end];
    }

    private static int NextTag(string source, int from)
    {
        while ((from = source.IndexOf('{', from)) >= 0 && from + 1 < source.Length)
        {
            if (source[from + 1] is '{' or '%')
            {
                return from;
            }

            from++;
        }

        return -1;
    }
}
