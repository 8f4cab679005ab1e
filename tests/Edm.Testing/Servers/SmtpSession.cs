using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Edm.Testing.Servers;

/// <summary>The server's side of one SMTP connection (RFC 5321): says yes to everything and reports the envelope of each complete mail.</summary>
/// <param name="certificate">For TLS from the first byte on; null: without.</param>
/// <param name="words">What is said to whom; null: yes to everybody.</param>
/// <param name="most">Mails before it hangs up without a word; null: it never does.</param>
internal sealed class SmtpSession(
    TcpClient client, TimeSpan dataDelay, Action<IReadOnlyList<string>> taken, X509Certificate2? certificate, Func<string, SmtpWords>? words, int? most)
{
    private readonly List<string> recipients = [];
    private bool inData;
    private int mails;

    public async Task RunAsync(CancellationToken cancellation)
    {
        using (client)
        {
            client.NoDelay = true;
            await using var tls = certificate is null ? null : new SslStream(client.GetStream());
            var stream = tls ?? (Stream)client.GetStream();
            try
            {
                if (tls is not null)
                {
                    await tls.AuthenticateAsServerAsync(certificate!);
                }

                var reader = PipeReader.Create(stream);
                await ReplyAsync(stream, "220 counting.test ESMTP", cancellation);
                while (true)
                {
                    var read = await reader.ReadAsync(cancellation);
                    var buffer = read.Buffer;
                    while (TryReadLine(ref buffer, out var line))
                    {
                        if (inData)
                        {
                            if (IsEndOfData(line))
                            {
                                inData = false;
                                taken([.. recipients]);
                                var reply = words?.Invoke(recipients[^1]).Data ?? "250 2.0.0 Ok: taken";
                                recipients.Clear();
                                await Task.Delay(dataDelay, cancellation);
                                await ReplyAsync(stream, reply, cancellation);
                                if (++mails >= most)
                                {
                                    return;
                                }
                            }
                        }
                        else if (!await CommandAsync(stream, Encoding.UTF8.GetString(line), cancellation))
                        {
                            return;
                        }
                    }

                    reader.AdvanceTo(buffer.Start, buffer.End);
                    if (read.IsCompleted)
                    {
                        return;
                    }
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
            {
                // The client was killed, which is what these tests are for, or the server is being disposed, or the client did not like our certificate.
            }
        }
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        if (buffer.PositionOf((byte)'\n') is not { } end)
        {
            line = default;
            return false;
        }

        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    // The line is without its LF: ".\r".
    private static bool IsEndOfData(ReadOnlySequence<byte> line) => line.Length == 2 && line.FirstSpan[0] == '.';

    private static ValueTask ReplyAsync(Stream stream, string reply, CancellationToken cancellation) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"), cancellation);

    /// <returns>False when the conversation is over.</returns>
    private async ValueTask<bool> CommandAsync(Stream stream, string line, CancellationToken cancellation)
    {
        var command = line.TrimEnd();
        var verb = command.Split(' ', 2)[0].ToUpperInvariant();
        switch (verb)
        {
            case "EHLO":
                await ReplyAsync(stream, "250-counting.test\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-SMTPUTF8\r\n250 8BITMIME", cancellation);
                break;
            case "MAIL":
                recipients.Clear();
                await ReplyAsync(stream, "250 2.1.0 Ok", cancellation);
                break;
            case "RCPT":
                var recipient = command[(command.IndexOf('<') + 1)..command.IndexOf('>')];
                var answer = words?.Invoke(recipient).Recipient ?? "250 2.1.5 Ok";
                if (answer[0] == '2')
                {
                    recipients.Add(recipient);
                }

                await ReplyAsync(stream, answer, cancellation);
                break;
            case "DATA":
                inData = recipients.Count > 0;
                await ReplyAsync(stream, inData ? "354 End data with <CR><LF>.<CR><LF>" : "503 5.5.1 Nobody to send to", cancellation);
                break;
            case "QUIT":
                await ReplyAsync(stream, "221 2.0.0 Bye", cancellation);
                return false;
            case "RSET":
                recipients.Clear();
                await ReplyAsync(stream, "250 2.0.0 Ok", cancellation);
                break;
            default:
                await ReplyAsync(stream, "250 2.0.0 Ok", cancellation);
                break;
        }

        return true;
    }
}
