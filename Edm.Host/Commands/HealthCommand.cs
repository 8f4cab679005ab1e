using System.CommandLine;
using Edm.Engine.Settings;
using Edm.Host.Hosting;

namespace Edm.Host.Commands;

/// <summary><c>health</c>: exit code 0 when the daemon of this data folder is ready. For containers, which need no curl then.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Create(Option<string[]> config)
    {
        var command = new Command("health", "Ask the daemon of this data folder whether it is ready.");
        command.SetAction((parsed, cancellation) => AskAsync(parsed.GetValue(config) ?? [], cancellation));
        return command;
    }

    private static async Task<int> AskAsync(string[] overlays, CancellationToken cancellation)
    {
        var settings = EdmSettings.Read(HoconFiles.Shipped.Load(overlays));
        var file = Path.Combine(settings.DataFolder, UrlFile.Name);
        if (!File.Exists(file))
        {
            await Console.Error.WriteLineAsync($"No daemon runs in {settings.DataFolder}.");
            return ExitCodes.Failed;
        }

        // A daemon that listens on all addresses answers on loopback.
        var url = (await File.ReadAllTextAsync(file, cancellation)).Trim().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal).Replace("[::]", "[::1]", StringComparison.Ordinal);
        using var http = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri($"{url.TrimEnd('/')}/health/ready"), cancellation);
            await Console.Out.WriteLineAsync(await answer.Content.ReadAsStringAsync(cancellation));
            return answer.IsSuccessStatusCode ? 0 : ExitCodes.Failed;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync($"The daemon does not answer: {exception.Message}");
            return ExitCodes.Failed;
        }
    }
}
