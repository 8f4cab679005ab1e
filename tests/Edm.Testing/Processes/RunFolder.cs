using System.Globalization;

namespace Edm.Testing.Processes;

/// <summary>
/// The one folder of this test process, with a list of the processes it started. It is named after our pid and start time, so that the next
/// test process can tell that we were killed, end what we left running and delete what we left lying.
/// </summary>
internal static class RunFolder
{
    private const string Prefix = "edm-test-";
    private const string ChildrenFile = "children";
    private static readonly Lock Gate = new();

    static RunFolder()
    {
        Sweep();
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"{Prefix}{Environment.ProcessId}-{Posix.StartTime(Environment.ProcessId)}");
        Directory.CreateDirectory(Path);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => EndAndDelete(Path);
    }

    public static string Path { get; }

    /// <summary>Remembers a process that must not outlive us.</summary>
    public static void Register(int pid)
    {
        if (Posix.StartTime(pid) is { } started)
        {
            lock (Gate)
            {
                File.AppendAllText(System.IO.Path.Combine(Path, ChildrenFile), string.Create(CultureInfo.InvariantCulture, $"{pid} {started}\n"));
            }
        }
    }

    private static void Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), Prefix + "*"))
        {
            var name = System.IO.Path.GetFileName(folder)[Prefix.Length..];
            if (TryParse(name, '-', out var owner, out var started) && Posix.StartTime(owner) != started)
            {
                EndAndDelete(folder);
            }
        }
    }

    private static void EndAndDelete(string folder)
    {
        try
        {
            var children = System.IO.Path.Combine(folder, ChildrenFile);
            foreach (var line in File.Exists(children) ? File.ReadAllLines(children) : [])
            {
                // The start time guards against a pid that another process has now.
                if (TryParse(line, ' ', out var pid, out var started) && Posix.StartTime(pid) == started)
                {
                    Posix.Signal(pid, Posix.SigKill);
                }
            }

            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            // Another user's leftovers, or a server in its last moment: housekeeping must not fail a test, and the next run sweeps again.
        }
    }

    private static bool TryParse(string text, char separator, out int pid, out long started)
    {
        started = 0;
        pid = 0;
        var at = text.IndexOf(separator);
        return at > 0
            && int.TryParse(text.AsSpan(0, at), CultureInfo.InvariantCulture, out pid)
            && long.TryParse(text.AsSpan(at + 1), CultureInfo.InvariantCulture, out started);
    }
}
