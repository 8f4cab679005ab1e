using System.CommandLine;
using Edm.Engine.Settings;
using Edm.Host.Hosting;

namespace Edm.Host.Commands;

/// <summary><c>run</c>, also without a word: the daemon.</summary>
internal static class RunCommand
{
    public static Command Create(Option<string[]> config)
    {
        var command = new Command("run", "Run the daemon (the same as no command).");
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(config) ?? [], cancellation));
        return command;
    }

    public static async Task<int> RunAsync(string[] overlays, CancellationToken cancellation)
    {
        var config = HoconFiles.Shipped.Load(overlays);
        await using var app = EdmHost.Build(EdmSettings.Read(config), config);
        try
        {
            await app.RunAsync(cancellation);
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to end before it had begun.
        }

        return 0;
    }
}
