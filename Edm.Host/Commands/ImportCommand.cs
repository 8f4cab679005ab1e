using System.CommandLine;
using Edm.Engine.Imports;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Users;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>
/// <c>import FILE</c>: what <c>POST /v1/imports</c> does, from the command line and straight into the storage. A daemon may run beside it.
/// </summary>
internal static class ImportCommand
{
    public static Command Create(Option<string[]> config)
    {
        var file = new Argument<string>("FILE") { Description = "CSV, NDJSON or a JSON array, also packed with gzip." };
        var user = new Option<string?>("--user") { Description = "Whose contacts they become; the first administrator's when it is left out.", HelpName = "NAME" };
        var errors = new Option<string?>("--errors") { Description = "Write the refused rows with line, field, value and reason to this CSV file.", HelpName = "FILE" };
        var command = new Command("import", "Import a list of contacts.") { file, user, errors };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignals();
            var arguments = new ImportArguments(parsed.GetRequiredValue(file), parsed.GetValue(user), parsed.GetValue(errors));
            var settings = EdmSettings.Read(HoconFiles.Shipped.Load(parsed.GetValue(config) ?? []));
            return await RunAsync(settings, arguments, Terminal.OfProcess, stop.Token);
        });
        return command;
    }

    /// <returns>The exit code; whatever is not 0 has been explained on the terminal.</returns>
    /// <exception cref="StorageException">The storage can't be used.</exception>
    internal static async Task<int> RunAsync(EdmSettings settings, ImportArguments arguments, Terminal terminal, CancellationToken cancellation)
    {
        if (!File.Exists(arguments.File))
        {
            await terminal.Error.WriteLineAsync(Directory.Exists(arguments.File) ? $"'{arguments.File}' is a folder. Give one file." : $"There is no file '{arguments.File}'.");
            return ExitCodes.Unusable;
        }

        await using var services = Services(settings);
        try
        {
            return await new FileImport(services, arguments, terminal).RunAsync(cancellation);
        }
        catch (ImportFormatException exception)
        {
            await terminal.Error.WriteLineAsync($"{arguments.File} can't be imported, and nothing of it was stored.");
            await terminal.Error.WriteLineAsync(exception.Field is null ? exception.Message : $"{exception.Message} ({exception.Field})");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync("Interrupted. Import the file again; what is stored already is not doubled.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await terminal.Error.WriteLineAsync($"{exception.Message} Import the file again; what is stored already is not doubled.");
        }
        catch (Exception exception) when (StorageFaults.IsTransient(exception))
        {
            await terminal.Error.WriteLineAsync($"The database can't be reached: {exception.Message} Import the file again; what is stored already is not doubled.");
        }

        return ExitCodes.Failed;
    }

    // The same registrations as the daemon's, without actors, listeners and background services.
    private static ServiceProvider Services(EdmSettings settings) => new ServiceCollection()
        .AddLogging(logging => logging
            .SetMinimumLevel(LogLevel.Warning)
            .AddSimpleConsole(console => console.SingleLine = true)
            .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace))
        .AddEdmStorage(settings.Storage)
        .AddEdmUsers()
        .AddImports()
        .BuildServiceProvider();
}

/// <param name="User">Null: the first administrator.</param>
/// <param name="Errors">Where the refused rows go as CSV; null: nowhere.</param>
internal sealed record ImportArguments(string File, string? User = null, string? Errors = null);
