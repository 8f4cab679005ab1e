using System.Globalization;
using System.Text;
using System.Text.Json;
using Edm.Contracts;

namespace Edm.Engine.Imports;

/// <summary>How the refused rows of an import are written.</summary>
public enum ErrorsForm
{
    /// <summary><c>line,field,value,reason</c>.</summary>
    Reasons,

    /// <summary>The owner's own rows in the owner's own columns, and <c>error_column</c>, <c>error_reason</c>: to be mended and sent again.</summary>
    Original,
}

/// <summary>
/// Writes the refused rows of an import as CSV (RFC 4180, UTF-8). A page at a time, so that a slow reader holds no connection. What a spreadsheet would run as a
/// formula gets an apostrophe before it, but not in the owner's own values: those are to come back as they were.
/// </summary>
public sealed class ErrorsCsv(ImportStore store)
{
    private static readonly string[] Added = ["error_column", "error_reason"];

    /// <returns>False when the user has no such import; then nothing was written.</returns>
    public async Task<bool> WriteAsync(UserId user, ImportId import, ErrorsForm form, Stream output, CancellationToken cancellation = default)
    {
        if (await store.GetAsync(user, import, cancellation) is not { } found)
        {
            return false;
        }

        await using var writer = new StreamWriter(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
        var columns = form == ErrorsForm.Original ? found.Header ?? await NamesAsync(user, import, cancellation) : [];
        await writer.WriteLineAsync((form == ErrorsForm.Original ? Line([.. columns, .. Added]) : "line,field,value,reason").AsMemory(), cancellation);
        await foreach (var (problem, original) in AllAsync(user, import, cancellation))
        {
            if (form == ErrorsForm.Original && original is null)
            {
                // A person who is not brought back is nothing to mend.
                continue;
            }

            var line = form == ErrorsForm.Original
                ? Line([.. Fields(original!, columns), problem.Field, problem.Reason])
                : string.Create(CultureInfo.InvariantCulture, $"{problem.Line},{Harmless(problem.Field)},{Harmless(problem.Value)},{Harmless(problem.Reason)}");
            await writer.WriteLineAsync(line.AsMemory(), cancellation);
        }

        return true;
    }

    /// <summary>Of rows that name their own columns: all that are named, in the order in which they first are.</summary>
    private async Task<IReadOnlyList<string>> NamesAsync(UserId user, ImportId import, CancellationToken cancellation)
    {
        const int MaxColumns = 2000;
        var names = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var (_, original) in AllAsync(user, import, cancellation))
        {
            if (original is null)
            {
                continue;
            }

            using var row = JsonDocument.Parse(original);
            names.AddRange(row.RootElement.EnumerateObject().Select(cell => cell.Name).Where(name => seen.Count < MaxColumns && seen.Add(name)));
        }

        return names;
    }

    private async IAsyncEnumerable<(RowProblem Problem, string? Original)> AllAsync(
        UserId user, ImportId import, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        for (long skip = 0; await store.OriginalsAsync(user, import, skip, ImportStore.MaxPage, cancellation) is { Count: > 0 } page; skip += ImportStore.MaxPage)
        {
            foreach (var row in page)
            {
                yield return row;
            }
        }
    }

    private static IEnumerable<string> Fields(string original, IReadOnlyList<string> columns)
    {
        using var row = JsonDocument.Parse(original);
        if (row.RootElement.ValueKind == JsonValueKind.Object)
        {
            return [.. columns.Select(name => row.RootElement.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "")];
        }

        // A row with more fields than the header keeps them in the way: they are what has to be mended. They stand after its own columns' place.
        var fields = row.RootElement.EnumerateArray().Select(value => value.GetString() ?? "").ToList();
        if (fields.Count > columns.Count)
        {
            fields[columns.Count - 1] = string.Join(' ', fields.Skip(columns.Count - 1));
            fields.RemoveRange(columns.Count, fields.Count - columns.Count);
        }

        return fields.Concat(Enumerable.Repeat("", columns.Count - fields.Count));
    }

    private static string Line(IEnumerable<string> values) => string.Join(',', values.Select(Quoted));

    private static string Harmless(string text) => Quoted(text is ['=' or '+' or '-' or '@' or '\t' or '\r', ..] ? "'" + text : text);

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
