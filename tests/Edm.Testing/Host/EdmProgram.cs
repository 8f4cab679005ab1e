using Edm.Testing.Processes;

namespace Edm.Testing.Host;

/// <summary>The program as built, with any words on its command line.</summary>
public static class EdmProgram
{
    /// <param name="variables">Environment variables beside those of this process.</param>
    public static ChildProcess Start(IReadOnlyList<string> words, IReadOnlyDictionary<string, string>? variables = null) =>

        // A script that runs tests in the background makes them ignore Ctrl+C, and everything they start inherits that.
        ChildProcess.Start("env", ["--default-signal=INT", "dotnet", HostBinary.Find(), .. words], variables);

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="TimeoutException">It takes longer than a minute.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(IReadOnlyList<string> words, IReadOnlyDictionary<string, string>? variables = null)
    {
        await using var process = Start(words, variables);
        var exitCode = await process.WaitForExitAsync(TimeSpan.FromMinutes(1));
        return (exitCode, process.Output);
    }
}
