using System.Globalization;

namespace Edm.Testing.Servers;

internal static class PostgresBinaries
{
    private const string Debian = "/usr/lib/postgresql";

    /// <summary>The newest version's folder with initdb and postgres.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed; the message says how to.</exception>
    public static string Find()
    {
        var folders = Directory.Exists(Debian)
            ? Directory.EnumerateDirectories(Debian)
                .OrderByDescending(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0)
                .Select(d => Path.Combine(d, "bin"))
            : [];
        return folders
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'))
            .FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")))
            ?? throw new InvalidOperationException(
                $"This test needs PostgreSQL, and neither {Debian} nor PATH has initdb and postgres. Install it: apt-get install postgresql (./test.sh does that).");
    }
}
