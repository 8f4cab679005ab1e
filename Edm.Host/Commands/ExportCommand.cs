using System.CommandLine;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Export;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Segments;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Users;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary><c>export</c>: what <c>GET /v1/contacts/export</c> does, from the command line and straight out of the storage. A daemon may run beside it.</summary>
internal static class ExportCommand
{
    public static Command Create(Option<string[]> config)
    {
        var user = new Option<string?>("--user") { Description = "Whose contacts; the first administrator's when it is left out.", HelpName = "NAME" };
        var filter = new Option<string?>("--filter") { Description = "Which contacts, such as 'tag:beauty and followers >= 10k'. All when it is left out.", HelpName = "FILTER" };
        var format = new Option<string?>("--format") { Description = "csv or ndjson; by the name of the file when it is left out, else csv.", HelpName = "FORMAT" };
        var output = new Option<string?>("--out") { Description = "The file, packed with gzip when its name ends in .gz; standard output when it is left out.", HelpName = "FILE" };
        var command = new Command("export", "Write contacts to a file that can be imported again.") { user, filter, format, output };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignals();
            var settings = EdmSettings.Read(HoconFiles.Shipped.Load(parsed.GetValue(config) ?? []));
            var arguments = new ExportArguments(parsed.GetValue(user), parsed.GetValue(filter), parsed.GetValue(format), parsed.GetValue(output));
            await using var standard = Console.OpenStandardOutput();
            return await RunAsync(settings, arguments, Terminal.OfErrors, standard, stop.Token);
        });
        return command;
    }

    /// <param name="terminal">Where is told how far it is, and what went wrong: not where the contacts go.</param>
    /// <returns>The exit code; whatever is not 0 has been explained on the terminal.</returns>
    /// <exception cref="StorageException">The storage can't be used.</exception>
    internal static async Task<int> RunAsync(EdmSettings settings, ExportArguments arguments, Terminal terminal, Stream standard, CancellationToken cancellation)
    {
        if (!TryFormat(arguments, out var format))
        {
            await terminal.Error.WriteLineAsync($"'{arguments.Format}' is not a format: {string.Join(" or ", ExportFormats.All)}.");
            return ExitCodes.Unusable;
        }

        await using var services = Services(settings);
        try
        {
            return await new FileExport(services, arguments, format, terminal).RunAsync(standard, cancellation);
        }
        catch (Exception exception) when (exception is ContactFilterException or FieldException)
        {
            await terminal.Error.WriteLineAsync($"The filter can't be used: {exception.Message}");
            return ExitCodes.Unusable;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await terminal.Error.WriteLineAsync(arguments.Out is null ? "Interrupted: what was written is not whole." : "Interrupted. No file was written.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await terminal.Error.WriteLineAsync($"It can't be written: {exception.Message}");
        }
        catch (Exception exception) when (StorageFaults.IsTransient(exception))
        {
            await terminal.Error.WriteLineAsync($"The database can't be reached: {exception.Message}");
        }

        return ExitCodes.Failed;
    }

    private static bool TryFormat(ExportArguments arguments, out ExportFormat format)
    {
        var name = arguments.Out is { } file && arguments.IsPacked ? Path.GetFileNameWithoutExtension(file) : arguments.Out;
        return ExportFormats.TryParse(arguments.Format ?? (Path.GetExtension(name) is ".ndjson" or ".jsonl" ? ExportFormat.Ndjson.Name() : null), out format);
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
        .AddContacts(settings.Filters)
        .AddSegments()
        .BuildServiceProvider();
}

/// <param name="User">Null: the first administrator.</param>
/// <param name="Out">Null: standard output.</param>
internal sealed record ExportArguments(string? User = null, string? Filter = null, string? Format = null, string? Out = null)
{
    public bool IsPacked => Out?.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) == true;
}
