using System.Globalization;

namespace Edm.Benchmarks;

/// <summary>What this process and everything it started have used of the processors: the daemon, the database, the sink. It says what a quiet machine would, also on a busy one.</summary>
internal static class ProcessTree
{
    /// <summary>proc(5) counts in these on every Linux of today (sysconf _SC_CLK_TCK).</summary>
    private const double TicksASecond = 100;

    /// <summary>User and system time so far, of processes that have ended too.</summary>
    public static TimeSpan CpuTime() => CpuTimes().Values.Aggregate(TimeSpan.Zero, (sum, time) => sum + time);

    /// <summary>The same by the name of the program; this process is "benchmark".</summary>
    public static IReadOnlyDictionary<string, TimeSpan> CpuTimes()
    {
        var processes = new Dictionary<int, Process>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && Read(folder) is { } read)
            {
                processes[pid] = read;
            }
        }

        return processes.Where(process => IsOurs(process.Key, processes))
            .GroupBy(process => process.Key == Environment.ProcessId ? "benchmark" : process.Value.Program, process => process.Value.Ticks)
            .ToDictionary(program => program.Key, program => TimeSpan.FromSeconds(program.Sum() / TicksASecond));
    }

    private static bool IsOurs(int pid, Dictionary<int, Process> processes)
    {
        // A bound: a table that changes while it is read could have a circle.
        for (var steps = 0; steps < 100 && processes.TryGetValue(pid, out var process); steps++)
        {
            if (pid == Environment.ProcessId)
            {
                return true;
            }

            pid = process.Parent;
        }

        return false;
    }

    private static Process? Read(string folder)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            var end = stat.LastIndexOf(')');
            var fields = stat[(end + 2)..].Split(' ');

            // Fields 14 to 17: utime, stime, and both of children that have ended and were waited for.
            return new Process(stat[(stat.IndexOf('(') + 1)..end], int.Parse(fields[1], CultureInfo.InvariantCulture), fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)));
        }
        catch (IOException)
        {
            return null;
        }
    }

    private readonly record struct Process(string Program, int Parent, long Ticks);
}
