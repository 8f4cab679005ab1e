using System.CommandLine;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Host.Demo;

namespace Edm.Host.Commands;

/// <summary>What the program understands on its command line.</summary>
internal static class EdmCommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var config = new Option<string[]>("--config")
        {
            Description = "A further configuration file (HOCON) over the shipped ones; may be given several times.",
            HelpName = "FILE",
            Recursive = true,
        };
        var root = new RootCommand("EDM sends bulk and follow-up mail through many mail services, and loses count of nobody.") { config };
        root.SetAction((parsed, cancellation) => RunCommand.RunAsync(parsed.GetValue(config) ?? [], cancellation));
        root.Subcommands.Add(RunCommand.Create(config));
        root.Subcommands.Add(HealthCommand.Create(config));
        root.Subcommands.Add(DemoCommand.Create(config));
        root.Subcommands.Add(ImportCommand.Create(config));
        root.Subcommands.Add(ExportCommand.Create(config));
        root.Subcommands.Add(InspectCommand.Create());
        root.Subcommands.Add(MigrateTagsCommand.Create(config));
        root.Subcommands.Add(SandboxCommand.Create());

        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            // The library says its part on its own; only the exit code is ours.
            await parsed.InvokeAsync(Plain);
            return ExitCodes.Unusable;
        }

        try
        {
            return await parsed.InvokeAsync(Plain);
        }
        catch (SettingsException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.Unusable;
        }
        catch (StorageException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }
    }

    // Exceptions come to us, and signals belong to the host.
    private static InvocationConfiguration Plain => new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
}
