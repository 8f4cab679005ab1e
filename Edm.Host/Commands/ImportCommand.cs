using System.CommandLine;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Imports;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Users;
using Edm.Host.Api;
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
        var policy = new Option<string?>("--policy") { Description = $"What becomes of contacts that are there already: {ImportWords.Policies}. Merge when it is left out.", HelpName = "POLICY" };
        var tags = new Option<string[]>("--tag") { Description = "A tag for what the import brings; may stand several times.", HelpName = "NAME", AllowMultipleArgumentsPerToken = false };
        var which = new Option<string?>("--tag-which") { Description = "Who gets those tags: new, changed or all. All when it is left out.", HelpName = "WHO" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Everything but the writing, for the counts and the refused rows." };
        var maxErrors = new Option<long?>("--max-errors") { Description = "More refused rows than this end the import.", HelpName = "N" };
        var key = new Option<string?>("--key") { Description = "Names this import: the same file under the same key goes on where it stopped, or tells again what it came to.", HelpName = "KEY" };
        var command = new Command("import", "Import a list of contacts.") { file, user, errors, policy, tags, which, dryRun, maxErrors, key };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignals();
            ImportOptions options;
            try
            {
                options = new ImportOptions
                {
                    Policy = ImportWords.Policy(parsed.GetValue(policy)),
                    Tags = ImportWords.Tags(parsed.GetValue(tags) ?? []),
                    TagWhich = ImportWords.TagWhich(parsed.GetValue(which)),
                    DryRun = parsed.GetValue(dryRun),
                    MaxErrors = parsed.GetValue(maxErrors) is < 0 ? throw new FieldException("max-errors", "This is not a number of rows.") : parsed.GetValue(maxErrors),
                    Key = ImportWords.Key(parsed.GetValue(key)),
                };
            }
            catch (FieldException exception)
            {
                await Terminal.OfProcess.Error.WriteLineAsync(exception.Message);
                return ExitCodes.Unusable;
            }

            var arguments = new ImportArguments(parsed.GetRequiredValue(file), parsed.GetValue(user), parsed.GetValue(errors)) { Options = options };
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
        catch (Exception exception) when (exception is TooManyErrorsException or ConflictException or ImportRunningException)
        {
            await terminal.Error.WriteLineAsync(exception.Message);
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
        .AddSuppressions(settings.MasterKey)
        .AddImports()
        .BuildServiceProvider();
}

/// <param name="User">Null: the first administrator.</param>
/// <param name="Errors">Where the refused rows go as CSV; null: nowhere.</param>
internal sealed record ImportArguments(string File, string? User = null, string? Errors = null)
{
    public ImportOptions Options { get; init; } = new();
}
