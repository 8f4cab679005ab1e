using System.Net.Sockets;
using System.Text;

namespace Edm.Host.Tests.Api;

/// <summary>An upload by hand: it can be left half-way, and it reads an answer that comes before its end, as a careful client does.</summary>
internal sealed class RawUpload : IDisposable
{
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    private RawUpload(TcpClient client)
    {
        _client = client;
        _stream = client.GetStream();
    }

    public static async Task<RawUpload> BeginAsync(Uri url, string key, long length, string headers = "")
    {
        var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port);
        var upload = new RawUpload(client);
        await upload.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/imports?file=raw.csv HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\n{headers}\r\n"));
        return upload;
    }

    public Task SendAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask();

    /// <summary>Sends the same block again and again until the server says something.</summary>
    /// <returns>What it says, and how many bytes had been sent by then.</returns>
    public async Task<(string Answer, long Sent)> SendUntilAnsweredAsync(string block)
    {
        var bytes = Encoding.ASCII.GetBytes(block);
        var answer = new byte[64 * 1024];
        var reading = _stream.ReadAsync(answer).AsTask();
        var sent = 0L;
        while (!reading.IsCompleted)
        {
            await Task.WhenAny(SendAsync(bytes), reading);
            sent += bytes.Length;
        }

        return (Encoding.UTF8.GetString(answer, 0, await reading), sent);
    }

    public void Dispose() => _client.Dispose();
}
