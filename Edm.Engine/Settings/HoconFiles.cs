using System.Text;
using System.Text.RegularExpressions;
using Akka.Configuration;

namespace Edm.Engine.Settings;

/// <summary>
/// Puts the layers of configuration together (their order is told at the head of hocon/edm.conf).
/// Akka's own parser knows no environment variables and never returns from an unclosed bracket, so both are dealt with here, before it sees the text.
/// </summary>
public sealed partial class HoconFiles(string folder, Func<string, string?> environmentVariable)
{
    /// <summary>The files that lie beside the program, and this process's environment.</summary>
    public static HoconFiles Shipped { get; } = new(Path.Combine(AppContext.BaseDirectory, "hocon"), Environment.GetEnvironmentVariable);

    /// <param name="overlays">Paths of further files, the last one strongest.</param>
    /// <exception cref="SettingsException">A file is missing or can't be parsed; file and line are named.</exception>
    public Config Load(params IReadOnlyList<string> overlays)
    {
        var defaults = Layer([Read(Path.Combine(folder, "akka.conf")), Read(Path.Combine(folder, "edm.conf"))]);
        var own = Layer(overlays.Select(Read).Prepend(Config.Empty)).SafeWithFallback(Config.Empty);
        var environment = Read(Path.Combine(folder, "environment.conf"));

        // Two keys choose further files; so they are looked up before those files are there.
        var reader = new SettingsReader(Layer([defaults, own, environment]));
        var database = reader.TextOrNull("edm.storage.connection-string") is null ? "sqlite.conf" : "postgres.conf";
        var name = reader.Choice("edm.environment", ("development", "development.conf"), ("production", "production.conf"), ("test", "test.conf"));
        return Layer([defaults, Read(Path.Combine(folder, database)), Read(Path.Combine(folder, name)), own, environment]);
    }

    private static Config Layer(IEnumerable<Config> weakestFirst) =>
        weakestFirst.Aggregate((weaker, stronger) => stronger.SafeWithFallback(weaker));

    private Config Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new SettingsException($"The configuration file '{path}' can't be read: {exception.Message}", exception);
        }

        RefuseUnclosed(path, text);
        try
        {
            return ConfigurationFactory.ParseString(
                WithVariables(text),
                name => throw new SettingsException($"The configuration file '{path}' includes '{name}': include is not understood. Give --config once more instead."));
        }
        catch (Exception exception) when (exception is FormatException or ConfigurationException)
        {
            throw new SettingsException($"The configuration file '{path}' can't be parsed: {exception.Message}", exception);
        }
    }

    /// <summary><c>key = ${?EDM_NAME}</c> becomes the quoted value, or nothing when the variable is missing or empty.</summary>
    private string WithVariables(string text) => VariableLine().Replace(text, match =>
        environmentVariable(match.Groups["name"].Value) is { Length: > 0 } value
            ? $"{match.Groups["key"].Value} = \"{Escape(value)}\""
            : "");

    private static string Escape(string value)
    {
        var escaped = new StringBuilder(value.Length + 8);
        foreach (var character in value)
        {
            escaped.Append(character switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ => character.ToString(),
            });
        }

        return escaped.ToString();
    }

    private static void RefuseUnclosed(string path, string text)
    {
        var open = new Stack<(char Bracket, int Line)>();
        var line = 1;
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            if (character == '\n')
            {
                line++;
            }
            else if (character == '#' || (character == '/' && i + 1 < text.Length && text[i + 1] == '/'))
            {
                // The line's end is left for the next turn, which counts it.
                i = text.IndexOf('\n', i) is var end && end >= 0 ? end - 1 : text.Length;
            }
            else if (character == '"')
            {
                i = EndOfString(path, text, i, ref line);
            }
            else if (character is '{' or '[')
            {
                open.Push((character, line));
            }
            else if (character is '}' or ']' && (!open.TryPop(out var begin) || begin.Bracket != (character == '}' ? '{' : '[')))
            {
                throw new SettingsException($"The configuration file '{path}', line {line}: '{character}' closes nothing that is open.");
            }
        }

        if (open.TryPop(out var unclosed))
        {
            throw new SettingsException($"The configuration file '{path}', line {unclosed.Line}: '{unclosed.Bracket}' is never closed.");
        }
    }

    /// <returns>The position of the closing quote.</returns>
    private static int EndOfString(string path, string text, int start, ref int line)
    {
        var begin = line;
        if (text.AsSpan(start).StartsWith("\"\"\"", StringComparison.Ordinal))
        {
            var end = text.IndexOf("\"\"\"", start + 3, StringComparison.Ordinal);
            if (end >= 0)
            {
                line += text.AsSpan(start, end - start).Count('\n');
                return end + 2;
            }
        }
        else
        {
            for (var i = start + 1; i < text.Length && text[i] != '\n'; i++)
            {
                if (text[i] == '"')
                {
                    return i;
                }

                if (text[i] == '\\')
                {
                    i++;
                }
            }
        }

        throw new SettingsException($"The configuration file '{path}', line {begin}: a quote is never closed.");
    }

    [GeneratedRegex(@"^[ \t]*(?<key>[A-Za-z0-9.\-]+)[ \t]*[=:][ \t]*\$\{\?(?<name>EDM_[A-Z0-9_]+)\}[ \t]*\r?$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex VariableLine();
}
