using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Edm.Testing.Processes;

namespace Edm.Testing.Host;

/// <summary>The real daemon, as built, in a process of its own: what a test may kill.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private readonly ChildProcess process;

    private HostProcess(ChildProcess process, HttpClient client, TimeSpan startToReady)
    {
        this.process = process;
        Client = client;
        StartToReady = startToReady;
    }

    /// <summary>Knows the address and carries the administrator's key.</summary>
    public HttpClient Client { get; }

    public Uri Url => Client.BaseAddress!;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public string Output => process.Output;

    /// <summary>From the start of the process to the first 200 of /health/ready.</summary>
    public TimeSpan StartToReady { get; }

    /// <summary>Starts the daemon and returns when it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended, or was not ready in time; the message carries its output.</exception>
    public static async Task<HostProcess> StartAsync(HostOptions options, TimeSpan? timeout = null)
    {
        Directory.CreateDirectory(options.Data);

        // The daemon writes its address here once it listens; one from the run before would lead us to a port that is somebody else's now.
        var urlFile = Path.Combine(options.Data, "http.url");
        File.Delete(urlFile);

        var watch = Stopwatch.StartNew();
        var process = ChildProcess.Start("dotnet", [HostBinary.Find()], options.ToEnvironment());
        var client = new HttpClient { Timeout = TimeSpan.FromSeconds(100) };
        try
        {
            await Eventually.Async(
                async () =>
                {
                    if (process.HasExited)
                    {
                        return true;
                    }

                    client.BaseAddress ??= ReadUrl(urlFile);
                    if (client.BaseAddress is null)
                    {
                        return false;
                    }

                    using var ready = await client.GetAsync(new Uri("health/ready", UriKind.Relative));
                    return ready.IsSuccessStatusCode;
                },
                timeout ?? TimeSpan.FromSeconds(60),
                "the daemon is ready");
            var startToReady = watch.Elapsed;
            if (process.HasExited)
            {
                throw new InvalidOperationException($"it ended with {process.ExitCode}");
            }

            var key = options.AdminKey ?? (await File.ReadAllTextAsync(Path.Combine(options.Data, "admin.key"))).Trim();
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
            return new HostProcess(process, client, startToReady);
        }
        catch (Exception e)
        {
            await process.DisposeAsync();
            client.Dispose();
            throw new InvalidOperationException($"The daemon did not start: {e.Message}\n{process.Output}", e);
        }
    }

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public Task KillAsync() => process.KillAsync();

    /// <summary>SIGTERM; answers how the process ended and how long it took.</summary>
    /// <exception cref="TimeoutException">It has not ended after <paramref name="timeout"/>.</exception>
    public async Task<(int ExitCode, TimeSpan Duration)> TerminateAsync(TimeSpan? timeout = null)
    {
        var watch = Stopwatch.StartNew();
        process.Signal(Posix.SigTerm);
        var exitCode = await process.WaitForExitAsync(timeout ?? TimeSpan.FromSeconds(60));
        return (exitCode, watch.Elapsed);
    }

    /// <summary>Resident memory now (VmRSS) and its highest so far (VmHWM), in bytes.</summary>
    public (long Now, long Peak) ResidentMemory()
    {
        var status = File.ReadAllLines($"/proc/{Id}/status");
        return (Of("VmRSS:"), Of("VmHWM:"));

        long Of(string name) => 1024 * long.Parse(
            status.First(l => l.StartsWith(name, StringComparison.Ordinal))[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(),
            CultureInfo.InvariantCulture);
    }

    /// <summary>CPU time used so far, user and system, of the whole process.</summary>
    public TimeSpan ProcessorTime()
    {
        using var seen = Process.GetProcessById(Id);
        return seen.TotalProcessorTime;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await process.DisposeAsync();
    }

    private static Uri? ReadUrl(string file) =>
        File.Exists(file) && Uri.TryCreate(File.ReadAllText(file).Trim().TrimEnd('/') + "/", UriKind.Absolute, out var url) ? url : null;
}
