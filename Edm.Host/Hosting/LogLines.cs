using Akka.Actor;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Edm.Host.Hosting;

/// <summary>One line an entry: time in UTC, level, who says it, what; below it, indented, what was thrown. Of an outage not all entries are written.</summary>
internal sealed class LogLines(TimeProvider time, OutageLines outage) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "edm";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var exception = logEntry.Exception;
        var message = WithoutCause(logEntry.Formatter(logEntry.State, exception), exception);
        if (outage.Take(logEntry.LogLevel, message, exception, out var instead))
        {
            if (instead is null)
            {
                return;
            }

            (message, exception) = (instead, null);
        }

        textWriter.Write(time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", System.Globalization.CultureInfo.InvariantCulture));
        textWriter.Write(LevelName(logEntry.LogLevel));
        textWriter.Write(logEntry.Category);
        textWriter.Write(": ");
        textWriter.WriteLine(OneLine(message));
        switch (exception)
        {
            case null:
                break;
            case StorageException or SettingsException or AskTimeoutException or IOException { InnerException: AddressInUseException }:
                // Its message says all; where in the program it came up helps nobody.
                textWriter.WriteLine($"  {OneLine(exception.Message)}");
                break;
            default:
                textWriter.WriteLine($"  {exception.ToString().ReplaceLineEndings(Environment.NewLine + "  ")}");
                break;
        }
    }

    // Akka writes what was thrown into the message too, as its last lines.
    private static string WithoutCause(string message, Exception? exception) =>
        exception is not null && message.IndexOf($"Cause: {exception.GetType().FullName}", StringComparison.Ordinal) is var at and > 0 ? message[..at].TrimEnd() : message;

    // A name that somebody chose can't start a line of its own.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");

    private static string LevelName(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace ",
        LogLevel.Debug => "debug ",
        LogLevel.Information => "info  ",
        LogLevel.Warning => "warn  ",
        LogLevel.Error => "error ",
        LogLevel.Critical => "fatal ",
        _ => "      ",
    };
}
