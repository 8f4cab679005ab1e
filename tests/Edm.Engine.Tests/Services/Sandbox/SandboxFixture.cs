using System.Net.Sockets;
using System.Text;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Tests.Services.Smtp;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Engine.Tests.Services.Sandbox;

/// <summary>A running sandbox in memory, and clients for it.</summary>
internal sealed class SandboxFixture : IAsyncDisposable
{
    private SandboxFixture(ISandboxStore store, int? seed) =>
        Server = new SandboxServer(store, new SandboxBehaviours(), TimeProvider.System, NullLogger<SandboxServer>.Instance, seed: seed);

    public SandboxServer Server { get; }

    public ISandboxStore Store => Server.Store;

    public SandboxBehaviours Behaviours => Server.Behaviours;

    public static async Task<SandboxFixture> StartAsync(ISandboxStore? store = null, int? seed = null)
    {
        var fixture = new SandboxFixture(store ?? new MemorySandboxStore(), seed);
        await fixture.Server.StartAsync(default);
        return fixture;
    }

    /// <summary>The engine's own connection, logged in as <paramref name="login"/>.</summary>
    public SmtpConnection Connect(string? login = null) =>
        new(ConnectionFixture.Service(1, username: login) with { Host = null }, new SmtpTimeouts(), () => Server.EndPoint, TimeProvider.System);

    /// <summary>Says each line after the reply to the one before, and returns all replies, one for a line of the client.</summary>
    public async Task<string[]> TalkAsync(params string[] lines)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Server.EndPoint!);
        using var reader = new StreamReader(client.GetStream(), Encoding.UTF8);
        var replies = new List<string> { (await reader.ReadLineAsync())! };
        foreach (var line in lines)
        {
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"));
            string? reply;
            do
            {
                reply = await reader.ReadLineAsync();
            }
            while (reply?.Length > 3 && reply[3] == '-');

            replies.Add(reply ?? "closed");
        }

        return [.. replies];
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
