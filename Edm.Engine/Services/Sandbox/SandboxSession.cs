using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Services.Sandbox;

/// <summary>One connection to the sandbox, from the greeting to its end: the commands of RFC 5321 in their order, and the dice that decide who is treated badly.</summary>
internal sealed class SandboxSession(Socket socket, ISandboxStore store, SandboxBehaviours behaviours, Random dice, TimeProvider time, ILogger logger)
{
    /// <summary>RFC 5321, 4.5.3.1.8 asks for 100.</summary>
    private const int MaxRecipients = 100;

    private const int MaxLogin = 256;

    /// <summary>RFC 5321, 4.5.3.2.7: a server waits at least five minutes for the next command.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromMinutes(5);

    private readonly SandboxConnection _connection = new(socket);
    private readonly List<string> _recipients = [];
    private string? _login;
    private string? _sender;
    private Fate _fate;
    private int _mails;

    private enum Fate
    {
        Accept,
        DeferRecipient,
        DeferMail,
        Reject,
        Drop,
    }

    public async Task RunAsync(bool isFull, CancellationToken stop)
    {
        await using var connection = _connection;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Idle);
        if (isFull)
        {
            _connection.Reply("421 4.3.2 too many connections");
            await _connection.FlushAsync(patience.Token);
            return;
        }

        try
        {
            _connection.Reply("220 sandbox ESMTP, nothing leaves this machine");
            while (await _connection.ReadLineAsync(patience.Token) is { } line && await HandleAsync(line, patience.Token))
            {
                patience.CancelAfter(Idle);
            }
        }
        catch (InvalidDataException)
        {
            _connection.Reply("500 5.5.2 line too long");
        }

        await _connection.FlushAsync(stop);
    }

    /// <returns>False when the connection ends.</returns>
    private async ValueTask<bool> HandleAsync(string line, CancellationToken cancellation)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        var verb = space < 0 ? line : line[..space];
        switch (verb.ToUpperInvariant())
        {
            case "EHLO":
                Reset();
                _connection.Reply("250-sandbox");
                _connection.Reply("250-PIPELINING");
                _connection.Reply($"250-SIZE {SandboxServer.MaxMail}");
                _connection.Reply("250-8BITMIME");
                _connection.Reply("250-SMTPUTF8");
                _connection.Reply("250-AUTH PLAIN LOGIN");
                _connection.Reply("250 ENHANCEDSTATUSCODES");
                return true;
            case "HELO":
                Reset();
                _connection.Reply("250 sandbox");
                return true;
            case "AUTH":
                return await AuthAsync(line, cancellation);
            case "MAIL":
                Mail(line);
                return true;
            case "RCPT":
                Rcpt(line);
                return true;
            case "DATA":
                return await DataAsync(cancellation);
            case "RSET":
                Reset();
                _connection.Reply("250 2.0.0 ok");
                return true;
            case "NOOP":
                _connection.Reply("250 2.0.0 ok");
                return true;
            case "VRFY":
                _connection.Reply("252 2.5.0 send it and see");
                return true;
            case "QUIT":
                _connection.Reply("221 2.0.0 bye");
                return false;
            default:
                _connection.Reply("500 5.5.2 no such command");
                return true;
        }
    }

    private void Mail(string line)
    {
        if (_sender is not null)
        {
            _connection.Reply("503 5.5.1 there is a sender already");
        }
        else if (!TryReadPath(line, "MAIL FROM:", out var path, out var parameters))
        {
            _connection.Reply("501 5.5.4 expected MAIL FROM:<address>");
        }
        else if (parameters.Split(' ').Any(IsTooBig))
        {
            _connection.Reply("552 5.3.4 the mail is too big");
        }
        else
        {
            _sender = path;
            _fate = Decide();
            _connection.Reply("250 2.1.0 ok");
        }
    }

    private void Rcpt(string line)
    {
        if (_sender is null)
        {
            _connection.Reply("503 5.5.1 MAIL first");
        }
        else if (!TryReadPath(line, "RCPT TO:", out var path, out _) || path.Length == 0)
        {
            _connection.Reply("501 5.5.4 expected RCPT TO:<address>");
        }
        else if (_recipients.Count >= MaxRecipients)
        {
            _connection.Reply("452 4.5.3 too many recipients");
        }
        else if (_fate == Fate.Reject)
        {
            _connection.Reply($"550 5.1.1 <{Ascii(path)}>: no such user (sandbox)");
        }
        else if (_fate == Fate.DeferRecipient)
        {
            _connection.Reply($"450 4.2.0 <{Ascii(path)}>: greylisted, try again later (sandbox)");
        }
        else
        {
            _recipients.Add(path);
            _connection.Reply("250 2.1.5 ok");
        }
    }

    private async ValueTask<bool> DataAsync(CancellationToken cancellation)
    {
        if (_recipients.Count == 0)
        {
            _connection.Reply("503 5.5.1 RCPT first");
            return true;
        }

        _connection.Reply("354 end with a line of one dot");
        if (await _connection.ReadBodyAsync(cancellation) is not var (raw, size))
        {
            return false;
        }

        var behaviour = behaviours.For(_login);
        if (behaviour.Delay > TimeSpan.Zero)
        {
            await Task.Delay(behaviour.Delay, time, cancellation);
        }

        if (_fate == Fate.Drop)
        {
            if (behaviour.KeepDropped)
            {
                await KeepAsync(raw, size, cancellation);
            }

            // At once, with what the client has sent unread: it sees a reset.
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
            return false;
        }

        _connection.Reply(_fate == Fate.DeferMail ? "451 4.3.0 try again later (sandbox)"
            : size > SandboxServer.MaxMail ? "552 5.3.4 the mail is too big"
            : await KeepAsync(raw, size, cancellation) ? "250 2.0.0 kept"
            : "451 4.3.0 the sandbox can't keep it now");
        Reset();
        return behaviour.DisconnectEvery is not { } every || ++_mails < every;
    }

    private async ValueTask<bool> KeepAsync(byte[] raw, long size, CancellationToken cancellation)
    {
        var (subject, messageId) = SandboxHeaders.Read(raw);
        try
        {
            await store.AddAsync(new SandboxMail(time.GetUtcNow(), _login, _sender!, [.. _recipients], subject, messageId, (int)Math.Min(size, int.MaxValue), raw), cancellation);
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            SandboxLog.KeepFailed(logger, exception);
            return false;
        }
    }

    /// <summary>Takes any password; the name tells whose behaviour holds.</summary>
    private async ValueTask<bool> AuthAsync(string line, CancellationToken cancellation)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        string? name = null;
        switch (words.ElementAtOrDefault(1)?.ToUpperInvariant())
        {
            case "PLAIN":
                // authorisation NUL name NUL password (RFC 4616)
                name = Decode(words.Length > 2 ? words[2] : await AskAsync("", cancellation))?.Split('\0').ElementAtOrDefault(1);
                break;
            case "LOGIN":
                name = Decode(words.Length > 2 ? words[2] : await AskAsync("VXNlcm5hbWU6", cancellation));
                if (name is not null && Decode(await AskAsync("UGFzc3dvcmQ6", cancellation)) is null)
                {
                    name = null;
                }

                break;
            default:
                _connection.Reply("504 5.5.4 PLAIN or LOGIN");
                return true;
        }

        if (string.IsNullOrEmpty(name) || name.Length > MaxLogin)
        {
            _connection.Reply("501 5.5.2 that is no login");
            return true;
        }

        _login = name;
        _connection.Reply("235 2.7.0 welcome");
        return true;
    }

    private async ValueTask<string?> AskAsync(string challenge, CancellationToken cancellation)
    {
        _connection.Reply($"334 {challenge}");
        return await _connection.ReadLineAsync(cancellation);
    }

    private Fate Decide()
    {
        var behaviour = behaviours.For(_login);
        var roll = dice.NextDouble();
        if ((roll -= behaviour.DeferShare) < 0)
        {
            return roll < -behaviour.DeferShare / 2 ? Fate.DeferRecipient : Fate.DeferMail;
        }

        if ((roll -= behaviour.RejectShare) < 0)
        {
            return Fate.Reject;
        }

        return roll - behaviour.DropShare < 0 ? Fate.Drop : Fate.Accept;
    }

    private void Reset()
    {
        _sender = null;
        _recipients.Clear();
    }

    private static bool TryReadPath(string line, string start, out string path, out string parameters)
    {
        (path, parameters) = ("", "");
        if (!line.StartsWith(start, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var rest = line.AsSpan(start.Length).TrimStart(' ');
        var end = rest.LastIndexOf('>');
        if (rest.IsEmpty || rest[0] != '<' || end < 0)
        {
            return false;
        }

        (path, parameters) = (rest[1..end].ToString(), rest[(end + 1)..].Trim().ToString());
        return true;
    }

    private static bool IsTooBig(string parameter) =>
        parameter.StartsWith("SIZE=", StringComparison.OrdinalIgnoreCase) && long.TryParse(parameter.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture, out var size) && size > SandboxServer.MaxMail;

    private static string? Decode(string? base64)
    {
        var octets = new byte[base64?.Length ?? 0];
        return base64 is not null && Convert.TryFromBase64String(base64, octets, out var length) ? Encoding.UTF8.GetString(octets, 0, length) : null;
    }

    // Replies are ASCII; an international address is only shown.
    private static string Ascii(string text) => string.Concat(text.Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?'));
}
