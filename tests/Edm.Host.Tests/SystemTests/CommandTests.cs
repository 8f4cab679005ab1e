using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Edm.Testing;
using Edm.Testing.Host;

namespace Edm.Host.Tests.SystemTests;

/// <summary>The other words of the command line, each as a process of its own.</summary>
[Collection(SystemCollection.Name)]
[Trait("Category", "System")]
public sealed partial class CommandTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TempFolder folder = new();

    private string Data => folder.Combine("data");

    private Dictionary<string, string> Variables => new() { ["EDM_DATA"] = Data, ["EDM_ENVIRONMENT"] = "test" };

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task The_sandbox_takes_a_mail_counts_it_and_ends_with_0_at_Ctrl_C()
    {
        await using var sandbox = EdmProgram.Start(["sandbox", "--port", "0"]);
        await Eventually.Async(() => Place().IsMatch(sandbox.Output), Patience, "the sandbox says where it is");

        var reply = await MailAsync(int.Parse(Place().Match(sandbox.Output).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));
        sandbox.Interrupt();
        var exitCode = await sandbox.WaitForExitAsync(Patience);

        Assert.StartsWith("250", reply, StringComparison.Ordinal);
        Assert.True(exitCode == 0, $"ended with {exitCode}:\n{sandbox.Output}");
        Assert.Contains("1 mail to 1 addresses, 0 of them more than once.", sandbox.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sandbox_told_to_do_what_cannot_be_done_says_which_word_was_wrong()
    {
        var (exitCode, output) = await EdmProgram.RunAsync(["sandbox", "--port", "0", "--reject", "1.5"]);

        Assert.Equal(2, exitCode);
        Assert.Contains("rejectShare: 1.5 is not a share", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_fills_the_folder_that_a_daemon_then_answers_from_and_goes_on_beside_it()
    {
        var list = folder.Combine("creators.csv");
        await File.WriteAllTextAsync(list, "email,nickname,followers\nann@example.com,Ann,1.3M\nbob@example.com,Bob,97K\nnobody,Nobody,1\n");

        var (imported, first) = await EdmProgram.RunAsync(["import", list], Variables);

        Assert.True(imported == 0, first);
        Assert.Matches(@"\b2  new contacts", first);
        Assert.Matches(@"\b1  rows refused", first);
        Assert.Contains("line 4", first, StringComparison.Ordinal);
        await using var daemon = await HostProcess.StartAsync(new HostOptions { Data = Data });
        Assert.Equal(2, await CountAsync(daemon));

        await File.AppendAllTextAsync(list, "cid@example.com,Cid,5\n");
        var (again, second) = await EdmProgram.RunAsync(["import", list, "--errors", folder.Combine("errors.csv")], Variables);

        Assert.True(again == 0, second);
        Assert.Matches(@"\b1  new contacts", second);
        Assert.Matches(@"\b2  contacts that were stored exactly so", second);
        Assert.Contains("nobody", await File.ReadAllTextAsync(folder.Combine("errors.csv")), StringComparison.Ordinal);
        Assert.Equal(3, await CountAsync(daemon));
    }

    [Fact]
    public async Task An_import_of_a_file_that_is_not_there_says_so_and_makes_nothing()
    {
        var (exitCode, output) = await EdmProgram.RunAsync(["import", folder.Combine("none.csv")], Variables);

        Assert.Equal(2, exitCode);
        Assert.Contains("There is no file", output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Fact]
    public async Task Health_is_0_while_a_daemon_is_ready_and_1_without_one()
    {
        var (without, why) = await EdmProgram.RunAsync(["health"], Variables);
        Assert.Equal(1, without);
        Assert.Contains("No daemon runs in", why, StringComparison.Ordinal);

        await using var daemon = await HostProcess.StartAsync(new HostOptions { Data = Data });
        var (ready, said) = await EdmProgram.RunAsync(["health"], Variables);
        Assert.True(ready == 0, said);

        await daemon.KillAsync();
        var (killed, gone) = await EdmProgram.RunAsync(["health"], Variables);
        Assert.Equal(1, killed);
        Assert.Contains("The daemon does not answer", gone, StringComparison.Ordinal);
    }

    private static async Task<long> CountAsync(HostProcess daemon) => (await daemon.Api.GetAsync<JsonElement>("v1/contacts/count")).GetProperty("count").GetInt64();

    /// <returns>The reply to the end of data.</returns>
    private static async Task<string?> MailAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var reply = await reader.ReadLineAsync();
        foreach (var line in (string[])["HELO test", "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.com>", "DATA", "Subject: Hi\r\n\r\nHello.\r\n."])
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(line + "\r\n"));
            reply = await reader.ReadLineAsync();
        }

        return reply;
    }

    [GeneratedRegex(@"takes mail at 127\.0\.0\.1:([0-9]+) ")]
    private static partial Regex Place();
}
