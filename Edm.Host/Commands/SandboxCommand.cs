using System.CommandLine;
using System.Globalization;
using System.Net.Sockets;
using Edm.Contracts;
using Edm.Engine.Services.Sandbox;
using Edm.Host.Screen;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Host.Commands;

/// <summary><c>sandbox</c>: the SMTP server that delivers nothing, on its own, for whoever wants to point another program at it.</summary>
internal static class SandboxCommand
{
    /// <summary>As the mail catchers that people know.</summary>
    private const int UsualPort = 1025;

    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var port = new Option<int>("--port")
        {
            Description = "Where it listens on 127.0.0.1; 0 takes a free port.",
            HelpName = "PORT",
            DefaultValueFactory = _ => UsualPort,
        };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var given) && given is < 0 or > 65535)
            {
                result.AddError($"--port: {given} is not a port. Expected 0 to 65535.");
            }
        });
        var defer = Share("--defer", "Share of the mails that are answered with 4xx, 0 to 1.");
        var reject = Share("--reject", "Share of the mails that are answered with 550, 0 to 1.");
        var drop = Share("--drop", "Share of the mails after which the connection is closed without a reply, 0 to 1.");
        var delay = new Option<int>("--delay") { Description = "Milliseconds between the end of a mail and the reply.", HelpName = "MS" };
        var command = new Command("sandbox", "Run only the sandbox: an SMTP server on loopback that delivers nothing and counts what it gets.") { port, defer, reject, drop, delay };
        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignals();
            var behaviour = new SandboxBehaviour
            {
                DeferShare = parsed.GetValue(defer),
                RejectShare = parsed.GetValue(reject),
                DropShare = parsed.GetValue(drop),
                Delay = TimeSpan.FromMilliseconds(parsed.GetValue(delay)),
            };
            return await RunAsync(parsed.GetValue(port), behaviour, Terminal.OfProcess, TimeProvider.System, stop.Token);
        });
        return command;
    }

    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(int port, SandboxBehaviour behaviour, Terminal terminal, TimeProvider time, CancellationToken cancellation)
    {
        var behaviours = new SandboxBehaviours();
        try
        {
            behaviours.Set(null, behaviour);
        }
        catch (FieldException exception)
        {
            await terminal.Error.WriteLineAsync($"{exception.Field}: {exception.Message}");
            return ExitCodes.Unusable;
        }

        await using var store = new MemorySandboxStore();
        await using var server = new SandboxServer(store, behaviours, time, NullLogger<SandboxServer>.Instance, port);
        try
        {
            await server.StartAsync(cancellation);
        }
        catch (SocketException exception)
        {
            await terminal.Error.WriteLineAsync($"127.0.0.1:{port} can't be listened on: {exception.Message}. Choose another port with --port.");
            return ExitCodes.Failed;
        }

        await terminal.Out.WriteLineAsync($"The sandbox takes mail at {server.EndPoint} and delivers none of it. Ctrl+C ends it, and forgets all.");
        await CountAsync(store, terminal, time, cancellation);
        return 0;
    }

    private static async Task CountAsync(MemorySandboxStore store, Terminal terminal, TimeProvider time, CancellationToken cancellation)
    {
        var line = new LiveLine(terminal, time, ReportEvery);
        using var timer = new PeriodicTimer(ReportEvery, time);
        var last = new SandboxCount(0, 0, 0);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellation))
            {
                var count = await store.CountAsync(cancellation);
                if (count != last)
                {
                    line.Show($"{Words.Count(count.Received, "mail")}  {Words.Count(count.Received - last.Received)}/s  {Words.Count(count.Recipients)} addresses  {Words.Count(count.Duplicated)} of them more than once");
                    last = count;
                }
            }
        }
        catch (OperationCanceledException)
        {
            line.Clear();
            var count = await store.CountAsync(CancellationToken.None);
            await terminal.Out.WriteLineAsync($"{Words.Count(count.Received, "mail")} to {Words.Count(count.Recipients)} addresses, {Words.Count(count.Duplicated)} of them more than once.");
        }
    }

    private static Option<double> Share(string name, string description) => new(name) { Description = description, HelpName = "SHARE" };
}
