using System.Diagnostics;

namespace Edm.Testing.Processes;

/// <summary>A process that we started and will end by its pid. Its last lines of output are kept, for the message of a failing test.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Enough for a start-up log and a stack trace; a daemon that logs without end must not fill the memory of its test.</summary>
    private const int KeptLines = 2_000;

    private readonly Process process;
    private readonly Queue<string> lines = new();
    private readonly Lock gate = new();

    private ChildProcess(Process process) => this.process = process;

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>128 + signal when a signal ended it.</summary>
    public int ExitCode => process.ExitCode;

    /// <summary>The last lines of standard output and error, as they came.</summary>
    public string Output
    {
        get
        {
            lock (gate)
            {
                return string.Join('\n', lines);
            }
        }
    }

    public static ChildProcess Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var child = new ChildProcess(process);
        process.OutputDataReceived += (_, e) => child.Keep(e.Data);
        process.ErrorDataReceived += (_, e) => child.Keep(e.Data);
        process.Start();
        RunFolder.Register(process.Id);
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs a command to its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another status than 0; the message carries its output.</exception>
    public static async Task<string> RunAsync(string file, IReadOnlyCollection<string> arguments, string? folder = null)
    {
        await using var child = Start(file, arguments, folder: folder);
        await child.process.WaitForExitAsync();
        return child.ExitCode == 0
            ? child.Output
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {child.ExitCode}:\n{child.Output}");
    }

    public void Signal(int signal)
    {
        if (!process.HasExited)
        {
            Posix.Signal(process.Id, signal);
        }
    }

    /// <summary>Ctrl+C (SIGINT).</summary>
    public void Interrupt() => Signal(Posix.SigInt);

    /// <summary>Stops the process where it stands (SIGSTOP): its connections stay open and nobody answers.</summary>
    public void Freeze() => Signal(Posix.SigStop);

    public void Thaw() => Signal(Posix.SigCont);

    /// <exception cref="TimeoutException">It is still there after <paramref name="timeout"/>; the message carries its output.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        using var late = new CancellationTokenSource(timeout);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new TimeoutException($"Process {Id} did not end in {timeout.TotalSeconds:0} s. Its last output:\n{Output}");
        }

        return process.ExitCode;
    }

    /// <summary>SIGKILL, and waits until the process is gone.</summary>
    public async Task KillAsync()
    {
        Signal(Posix.SigKill);
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await KillAsync();
        }

        process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (gate)
        {
            lines.Enqueue(line);
            if (lines.Count > KeptLines)
            {
                lines.Dequeue();
            }
        }
    }
}
