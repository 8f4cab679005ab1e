using System.Globalization;
using System.Text.RegularExpressions;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Processes;

namespace Edm.Host.Tests.SystemTests;

/// <summary>What a newcomer does first: the demo, as a process of its own.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed partial class DemoTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task In_a_fresh_folder_it_ends_with_0_and_a_ledger_that_balances()
    {
        await using var demo = Start();

        var exitCode = await demo.WaitForExitAsync(Patience);

        Assert.True(exitCode == 0, $"ended with {exitCode}:\n{demo.Output}");
        Balances(demo.Output);
        Assert.Equal(0, Of("unknown", demo.Output));
    }

    [Fact]
    public async Task Killed_in_the_middle_and_started_again_it_goes_on_and_mails_nobody_twice()
    {
        const int Connections = 8;
        await using (var killed = Start())
        {
            await Eventually.Async(
                () => Sent().Matches(killed.Output) is [.., var last] && int.Parse(last.Groups[1].Value, CultureInfo.InvariantCulture) > 150,
                Patience, "150 mails are out");
            await killed.KillAsync();
        }

        await using var demo = Start();
        var exitCode = await demo.WaitForExitAsync(Patience);

        Assert.True(exitCode == 0, $"ended with {exitCode}:\n{demo.Output}");
        Assert.Contains("The campaign was launched before", demo.Output, StringComparison.Ordinal);
        Balances(demo.Output);
        Assert.InRange(Of("unknown", demo.Output), 0, Connections);
    }

    private ChildProcess Start() =>
        EdmProgram.Start(["demo", "--exit", "--data", folder.Combine("data")], new Dictionary<string, string> { ["EDM_HTTP"] = "http://127.0.0.1:0" });

    private static void Balances(string output)
    {
        Assert.Equal(925, Of("planned", output));
        Assert.Equal(0, Of("twice", output));
        Assert.Equal(
            925, ((string[])["waiting", "leased", "pending-retry", "sent", "failed", "skipped", "cancelled", "unknown"]).Sum(state => Of(state, output)));
        Assert.DoesNotContain("✘", output, StringComparison.Ordinal);
        Assert.True(Of("sandbox got", output) >= Of("sent", output), output);
    }

    /// <summary>A number of the final ledger.</summary>
    private static int Of(string name, string output)
    {
        var line = Regex.Match(output, $@"^  {name} +([0-9,]+)(?:  .*)?$", RegexOptions.Multiline, TimeSpan.FromSeconds(1));
        Assert.True(line.Success, $"The ledger has no {name}:\n{output}");
        return int.Parse(line.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("([0-9]+) sent, ")]
    private static partial Regex Sent();
}
