using System.Globalization;
using System.Net.Sockets;
using Edm.Testing.Processes;

namespace Edm.Testing.Servers;

/// <summary>
/// Debian's smtp-sink on a free port of 127.0.0.1: takes every mail and throws it away. One thread, some 16,000 mails a second.
/// It fails, saying what to install, when the program is not there.
/// </summary>
public sealed class SmtpSink : IAsyncDisposable
{
    private static readonly string[] Places = ["/usr/sbin/smtp-sink", "/usr/lib/postfix/sbin/smtp-sink", "/usr/local/sbin/smtp-sink"];
    private readonly ChildProcess process;

    private SmtpSink(ChildProcess process, int port)
    {
        this.process = process;
        Port = port;
    }

    public int Port { get; }

    /// <param name="dataDelay">Seconds before the answer to each DATA (<c>-w</c>).</param>
    /// <param name="delays">Each <c>command:seconds:odds</c>, such as <c>mail:1:10</c> for a second's wait before every tenth MAIL (<c>-W</c>).</param>
    public static async Task<SmtpSink> StartAsync(int? dataDelay = null, params string[] delays)
    {
        var program = Places.FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"This needs smtp-sink, which is not at {string.Join(" or ", Places)}. Install it: apt-get install postfix (./test.sh does that).");
        var port = FreePort.Next();
        var wait = dataDelay is { } seconds ? ["-w", seconds.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>();
        var user = Posix.IsRoot ? ["-u", "nobody"] : Array.Empty<string>();
        string[] arguments =
        [
            .. user, .. wait, .. delays.SelectMany(d => new[] { "-W", d }),
            "-m", "2000", // sessions; the default of 256 is fewer than a large pool opens
            string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "1000",
        ];
        var sink = new SmtpSink(ChildProcess.Start(program, arguments), port);
        try
        {
            await Eventually.Async(sink.AcceptsAsync, TimeSpan.FromSeconds(10), "smtp-sink takes connections");
            return sink;
        }
        catch (TimeoutException e)
        {
            await sink.DisposeAsync();
            throw new InvalidOperationException($"smtp-sink did not start: {e.Message}\n{sink.process.Output}", e);
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private async Task<bool> AcceptsAsync()
    {
        if (process.HasExited)
        {
            throw new InvalidOperationException($"smtp-sink ended:\n{process.Output}");
        }

        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        return true;
    }
}
