using System.Text;
using Edm.Host.Commands;
using Edm.Testing;

namespace Edm.Host.Tests.Commands;

public sealed class InspectReplyCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public async Task Each_reply_has_one_object_with_the_three_keys()
    {
        var (code, said) = await RunAsync([], "-", "250 2.0.0 Ok\n550 5.1.1 <a@example.com>: User unknown\n451 4.7.1 Greylisted, try again in 10 minutes\n452 4.2.2 Over quota\n\n535 5.7.8 no\n554 5.7.1 blocked using zen.spamhaus.org\n");

        Assert.Equal(0, code);
        Assert.Equal(
            """
            {"class":"accepted","action":"done","retryAfter":null}
            {"class":"no-such-user","action":"suppress","retryAfter":null}
            {"class":"greylisted","action":"retry","retryAfter":600}
            {"class":"mailbox-full","action":"retry","retryAfter":3600}
            {"class":"unknown","action":"retry","retryAfter":60}
            {"class":"authentication-failed","action":"pause","retryAfter":null}
            {"class":"policy-or-reputation-block","action":"alert","retryAfter":1800}

            """.ReplaceLineEndings("\n"),
            said);
    }

    [Fact]
    public async Task A_line_break_within_a_reply_is_written_as_in_JSON() =>
        Assert.Equal((0, "{\"class\":\"no-such-user\",\"action\":\"suppress\",\"retryAfter\":null}\n"), await RunAsync(["550-5.1.1 No such\\r\\n550 5.1.1 user"], null, ""));

    [Fact]
    public async Task A_file_that_is_missing_and_a_question_that_is_none_are_explained()
    {
        Assert.Equal((2, ""), await RunAsync([], _folder.Combine("none.txt"), ""));
        Assert.Contains("There is no file", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal((2, ""), await RunAsync([], null, ""));
        Assert.Equal((2, ""), await RunAsync(["550 no"], "-", ""));
        Assert.Contains("not both", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hostile_line_is_answered_like_another()
    {
        var (code, said) = await RunAsync([], "-", $"{new string('x', 500_000)}\n\u0000\ufffd\n550 5.1.1 user unknown");

        Assert.Equal(0, code);
        Assert.Equal(3, said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    public void Dispose()
    {
        _error.Dispose();
        _folder.Dispose();
    }

    private async Task<(int Code, string Out)> RunAsync(string[] replies, string? file, string input)
    {
        using var output = new MemoryStream();
        var code = await InspectReplyCommand.RunAsync(replies, file, () => new MemoryStream(Encoding.UTF8.GetBytes(input)), output, _error, default);
        return (code, Encoding.UTF8.GetString(output.ToArray()));
    }
}
