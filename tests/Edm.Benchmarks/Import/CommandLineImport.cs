using System.Globalization;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Processes;
using Edm.Testing.Servers;

namespace Edm.Benchmarks.Import;

/// <summary><c>Edm.Host import FILE</c> into a database of its own: what the program on the command line takes of memory.</summary>
internal static class CommandLineImport
{
    /// <returns>Bytes of resident memory at most, as the system counts them (VmHWM).</returns>
    public static async Task<double> PeakAsync(string database, string file)
    {
        using var folder = new TempFolder();
        await using var server = database == "postgres" ? await PostgresServer.CreateAsync() : null;
        var environment = new Dictionary<string, string> { ["EDM_DATA"] = folder.Combine("data"), ["EDM_ENVIRONMENT"] = "production" };
        if (server is not null)
        {
            environment["EDM_DATABASE"] = await server.CreateDatabaseAsync();
        }

        await using var process = ChildProcess.Start("dotnet", [HostBinary.Find(), "import", file], environment);
        var peak = 0.0;
        while (!process.HasExited)
        {
            peak = Math.Max(peak, Peak(process.Id));
            await Task.Delay(50);
        }

        return process.ExitCode == 0 ? peak : throw new InvalidOperationException($"The import ended with {process.ExitCode}:\n{process.Output}");
    }

    private static double Peak(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024.0 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It has just ended.
            return 0;
        }
    }
}
