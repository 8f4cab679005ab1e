using System.Text.Json;
using System.Text.RegularExpressions;

namespace Edm.Host.Http;

/// <summary>Puts what the JSON reader says into words for people who do not know our types.</summary>
internal static partial class JsonProblem
{
    public static Problem Of(JsonException exception)
    {
        var field = Field(exception.Path);
        var line = exception.LineNumber + 1;
        var position = exception.BytePositionInLine + 1;
        var message = exception.Message;

        if (Unmapped().Match(message) is { Success: true } unmapped)
        {
            return Problem.InvalidJson($"There is no field '{unmapped.Groups[1].Value}' here.", Join(field, unmapped.Groups[1].Value), line, position);
        }

        if (Missing().Match(message) is { Success: true } missing)
        {
            return Problem.InvalidJson($"The field '{missing.Groups[1].Value}' is needed.", Join(field, missing.Groups[1].Value), line, position);
        }

        if (Duplicate().Match(message) is { Success: true } duplicate)
        {
            return Problem.InvalidJson($"The field '{duplicate.Groups[1].Value}' is there twice.", Join(field, duplicate.Groups[1].Value), line, position);
        }

        if (Null().Match(message) is { Success: true } @null)
        {
            return Problem.InvalidJson("This field can't be null.", Join(field, @null.Groups[1].Value), line, position);
        }

        if (Conversion().Match(message) is { Success: true } conversion)
        {
            return Problem.InvalidJson($"Expected {Expected(conversion.Groups[1].Value)}.", field, line, position);
        }

        // What is left are errors of syntax; the reader repeats path and place behind its words.
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        end = end < 0 ? message.IndexOf(" LineNumber: ", StringComparison.Ordinal) : end;
        return Problem.InvalidJson(end < 0 ? message : message[..end], field, line, position);
    }

    /// <summary>What a type of ours means to a client.</summary>
    public static string Expected(string type)
    {
        if (type.Contains("List`1", StringComparison.Ordinal) || type.EndsWith("[]", StringComparison.Ordinal))
        {
            return "a list";
        }

        if (WholeNumber().IsMatch(type))
        {
            return "a whole number, or one too large";
        }

        return Scalar().Match(type).Value switch
        {
            "String" => "a text",
            "Boolean" or "bool" => "true or false",
            "Double" or "Decimal" or "double" => "a number",
            "DateTimeOffset" => "a time such as 2026-01-31T12:00:00Z",
            _ => "an object",
        };
    }

    private static string? Field(string? path) => path is null or "$" ? null : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path;

    // The reader's path ends, by the kind of error, at the field or at the object around it.
    private static string Join(string? path, string field) =>
        path is null ? field : path == field || path.EndsWith("." + field, StringComparison.Ordinal) ? path : $"{path}.{field}";

    [GeneratedRegex(@"^The JSON property '(.*?)' could not be mapped to any \.NET member", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Unmapped();

    [GeneratedRegex(@"was missing required properties including: '([^']+)'", RegexOptions.CultureInvariant)]
    private static partial Regex Missing();

    [GeneratedRegex(@"^Duplicate property '(.*?)' encountered", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Duplicate();

    [GeneratedRegex(@"^The (?:property or field|constructor parameter) '([^']+)' on type '[^']+' doesn't allow", RegexOptions.CultureInvariant)]
    private static partial Regex Null();

    [GeneratedRegex(@"^The JSON value could not be converted to (\S+)\. Path", RegexOptions.CultureInvariant)]
    private static partial Regex Conversion();

    [GeneratedRegex(@"\b(?:U?Int(?:16|32|64)|int|long|short|[A-Z]\w*Id)\b", RegexOptions.CultureInvariant)]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"\b(?:String|Boolean|bool|Double|double|Decimal|DateTimeOffset)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Scalar();
}
