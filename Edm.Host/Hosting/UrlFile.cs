using Edm.Engine.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Edm.Host.Hosting;

/// <summary>Writes the address at which the API answers to <c>http.url</c> in the data folder, once it does: with port 0 nobody could know it.</summary>
internal sealed partial class UrlFile(EdmSettings settings, IServer server, IHostApplicationLifetime lifetime, ILogger<UrlFile> logger) : IHostedService
{
    public const string Name = "http.url";

    private bool _written;

    public string FilePath { get; } = Path.Combine(settings.DataFolder, Name);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // One left behind by a crash would lead to a port that may be somebody else's now.
        File.Delete(FilePath);
        lifetime.ApplicationStarted.Register(Write);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        // One that another daemon wrote stays: a daemon that is refused because the folder is taken is stopped too.
        if (_written)
        {
            File.Delete(FilePath);
        }

        return Task.CompletedTask;
    }

    private void Write()
    {
        var url = server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? settings.Http.Url.ToString();

        // By a rename, so that a reader never sees half of it.
        var draft = FilePath + ".new";
        File.WriteAllText(draft, url + "\n");
        File.Move(draft, FilePath, overwrite: true);
        _written = true;
        LogListening(url);
    }

    [LoggerMessage(LogLevel.Information, "The API answers at {Url}; its description is at /docs")]
    private partial void LogListening(string url);
}
