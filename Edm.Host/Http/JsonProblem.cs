using System.Text.Json;
using System.Text.RegularExpressions;

namespace Edm.Host.Http;

/// <summary>Puts what the JSON reader says into words for people who do not know our types. What it says is held by tests against a newer runtime.</summary>
internal static partial class JsonProblem
{
    public static Problem Of(JsonException exception)
    {
        var field = Field(exception.Path);
        var line = exception.LineNumber + 1;
        var position = exception.BytePositionInLine + 1;
        var message = exception.Message;

        if (Missing().Match(message) is { Success: true } missing)
        {
            var name = missing.Groups[1].Value;
            return Problem.InvalidJson($"The field '{name}' is needed.", field is null ? name : $"{field}.{name}", line, position);
        }

        if (Unmapped().Match(message) is { Success: true } unmapped)
        {
            return Problem.InvalidJson($"There is no field '{unmapped.Groups[1].Value}' here.", field ?? unmapped.Groups[1].Value, line, position);
        }

        if (Duplicate().Match(message) is { Success: true } duplicate)
        {
            return Problem.InvalidJson($"The field '{duplicate.Groups[1].Value}' is there twice.", field ?? duplicate.Groups[1].Value, line, position);
        }

        if (Null().IsMatch(message))
        {
            return Problem.InvalidJson("This field can't be null.", field, line, position);
        }

        if (message.StartsWith("The JSON value could not be converted", StringComparison.Ordinal))
        {
            return Problem.InvalidJson($"Expected {ExpectedInstead(exception)}.", field, line, position);
        }

        // What is left are errors of syntax; the reader repeats path and place behind its words.
        var end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        end = end < 0 ? message.IndexOf(" LineNumber: ", StringComparison.Ordinal) : end;
        return Problem.InvalidJson(end < 0 ? message : message[..end], field, line, position);
    }

    /// <summary>What a .NET type means to a client.</summary>
    public static string Expected(string type) => type switch
    {
        "int" or "Int32" => $"a whole number from {int.MinValue} to {int.MaxValue}",
        "long" or "Int64" => $"a whole number from {long.MinValue} to {long.MaxValue}",
        "bool" or "Boolean" => "true or false",
        "double" or "Double" => "a number",
        "DateTimeOffset" => "a time such as 2026-01-31T12:00:00Z",
        _ => "another kind of value",
    };

    private static string ExpectedInstead(JsonException exception)
    {
        var reason = exception.InnerException?.Message ?? "";
        if (WrongToken().Match(reason) is { Success: true } token)
        {
            return $"{Kind(token.Groups[2].Value)}, found {Token(token.Groups[1].Value)}";
        }

        return OutOfBounds().Match(reason) is { Success: true } format ? Expected(format.Value) : "an object";
    }

    private static string Kind(string name) => name switch
    {
        "string" => "a text",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "another kind of value",
    };

    private static string Token(string name) => name switch
    {
        "String" => "a text",
        "Number" => "a number",
        "True" or "False" => "true or false",
        "Null" => "null",
        "StartArray" => "a list",
        "StartObject" => "an object",
        _ => "something else",
    };

    // $.c.lanes is c.lanes, and $['odd name'] is odd name.
    private static string? Field(string? path) =>
        path is null or "$" ? null : OddName().Replace(path, match => "." + match.Groups[1].Value)[1..].TrimStart('.');

    [GeneratedRegex(@"^The JSON property '(.*)' could not be mapped to any \.NET member", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Unmapped();

    [GeneratedRegex(@"was missing required properties including: '([^']+)'", RegexOptions.CultureInvariant)]
    private static partial Regex Missing();

    [GeneratedRegex(@"^Duplicate property '(.*)' encountered", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Duplicate();

    [GeneratedRegex(@"^The (?:property or field|constructor parameter) '[^']+' on type '[^']+' doesn't allow", RegexOptions.CultureInvariant)]
    private static partial Regex Null();

    [GeneratedRegex(@"token type '(\w+)' as a (\w+)", RegexOptions.CultureInvariant)]
    private static partial Regex WrongToken();

    [GeneratedRegex(@"\b(?:Int32|Int64|Double|DateTimeOffset)\b", RegexOptions.CultureInvariant)]
    private static partial Regex OutOfBounds();

    [GeneratedRegex(@"\['(.*?)'\](?=$|\.|\[)", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex OddName();
}
