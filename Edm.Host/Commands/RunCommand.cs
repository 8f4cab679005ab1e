using System.CommandLine;
using System.Net.Sockets;
using Edm.Engine.Settings;
using Edm.Host.Hosting;
using Microsoft.AspNetCore.Connections;

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
        var settings = EdmSettings.Read(config);
        await using var app = EdmHost.Build(settings, config);
        try
        {
            await app.RunAsync(cancellation);
        }
        catch (OperationCanceledException) when (!app.Lifetime.ApplicationStarted.IsCancellationRequested)
        {
            // Told to end before it had begun.
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            await Console.Error.WriteLineAsync($"edm.http.url (EDM_HTTP): another process listens at {settings.Http.Url}. Choose another port, or 0 for a free one.");
            return ExitCodes.Failed;
        }
        catch (SocketException exception)
        {
            await Console.Error.WriteLineAsync($"edm.http.url (EDM_HTTP): {settings.Http.Url} can't be listened at: {exception.Message}");
            return ExitCodes.Failed;
        }

        return 0;
    }
}
