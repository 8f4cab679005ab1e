using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using Edm.Testing.Processes;

namespace Edm.Testing.Host;

/// <summary>The real daemon, as built, in a process of its own: what a test may kill.</summary>
public sealed class HostProcess : IAsyncDisposable
{
    private readonly HostOptions options;
    private readonly ChildProcess process;
    private readonly Stopwatch sinceStart = Stopwatch.StartNew();

    private readonly HttpClient probe = new() { Timeout = TimeSpan.FromSeconds(10) };
    private HttpClient? client;
    private Uri? url;

    private HostProcess(HostOptions options, ChildProcess process)
    {
        this.options = options;
        this.process = process;
    }

    /// <summary>Knows the address and carries the administrator's key.</summary>
    /// <exception cref="InvalidOperationException">The daemon has not been ready yet.</exception>
    public HttpClient Client => client ?? throw new InvalidOperationException("The daemon is not ready yet.");

    /// <inheritdoc cref="Client"/>
    public EdmClient Api => new(Client);

    /// <summary>A client of another user; its owner disposes it.</summary>
    public HttpClient ClientOf(string key)
    {
        var other = new HttpClient { BaseAddress = Client.BaseAddress, Timeout = Client.Timeout };
        other.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return other;
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public string Output => process.Output;

    /// <summary>From the start of the process to the first 200 of /health/ready.</summary>
    public TimeSpan StartToReady { get; private set; }

    /// <summary>Null until ready.</summary>
    public string? AdminKey { get; private set; }

    private string UrlFile => Path.Combine(options.Data, "http.url");

    /// <summary>Starts the daemon and returns when it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended, or was not ready in time; the message carries its output.</exception>
    public static async Task<HostProcess> StartAsync(HostOptions options)
    {
        var host = Launch(options);
        try
        {
            await host.ReadyAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the daemon and returns at once.</summary>
    public static HostProcess Launch(HostOptions options)
    {
        Directory.CreateDirectory(options.Data);

        // The daemon writes its address here once it listens; one from the run before would lead us to a port that is somebody else's now.
        File.Delete(Path.Combine(options.Data, "http.url"));
        return new HostProcess(options, ChildProcess.Start("dotnet", [HostBinary.Find()], options.ToEnvironment()));
    }

    /// <exception cref="InvalidOperationException">It ended, or was not ready in time; the message carries its output.</exception>
    public async Task ReadyAsync(TimeSpan? timeout = null)
    {
        try
        {
            await Eventually.Async(() => HasExited ? Task.FromResult(true) : IsReadyAsync(), timeout ?? TimeSpan.FromSeconds(60), "the daemon is ready");
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Output}", e);
        }

        if (HasExited)
        {
            throw new InvalidOperationException($"The daemon ended with {process.ExitCode} before it was ready:\n{Output}");
        }

        StartToReady = sinceStart.Elapsed;
        AdminKey = options.AdminKey ?? (await File.ReadAllTextAsync(Path.Combine(options.Data, "admin.key"))).Trim();

        // An import of a million rows answers when it is done.
        var ready = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromMinutes(10) };
        ready.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminKey);
        client = ready;
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
        client?.Dispose();
        probe.Dispose();
        await process.DisposeAsync();
    }

    private async Task<bool> IsReadyAsync()
    {
        // The file may be there before its text is.
        if (File.Exists(UrlFile) && Uri.TryCreate((await File.ReadAllTextAsync(UrlFile)).Trim().TrimEnd('/') + "/", UriKind.Absolute, out url))
        {
            using var answer = await probe.GetAsync(new Uri(url, "health/ready"));
            return answer.IsSuccessStatusCode;
        }

        return false;
    }
}
