using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;

namespace Edm.Engine.Services.Sandbox;

/// <summary>Lines and bodies from a client, replies to it. Replies go out when the client has said all it had to say (RFC 2920).</summary>
internal sealed class SandboxConnection : IAsyncDisposable
{
    /// <summary>RFC 5321, 4.5.3.1 asks for 512 octets of a command and 1,000 of a text line; we take more, and not without end.</summary>
    private const int MaxCommand = 8 * 1024;
    private const int MaxTextLine = 64 * 1024;

    private readonly NetworkStream _stream;
    private readonly PipeReader _reader;
    private readonly PipeWriter _writer;
    private readonly ArrayBufferWriter<byte> _body = new(8 * 1024);

    public SandboxConnection(Socket socket)
    {
        _stream = new NetworkStream(socket);
        _reader = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        _writer = PipeWriter.Create(_stream, new StreamPipeWriterOptions(leaveOpen: true));
    }

    public void Reply(string line)
    {
        var span = _writer.GetSpan(line.Length + 2);
        Encoding.ASCII.GetBytes(line, span);
        span[line.Length] = (byte)'\r';
        span[line.Length + 1] = (byte)'\n';
        _writer.Advance(line.Length + 2);
    }

    public async ValueTask FlushAsync(CancellationToken cancellation) => await _writer.FlushAsync(cancellation);

    /// <returns>A line without its end; null when the client has closed.</returns>
    /// <exception cref="InvalidDataException">The line is too long.</exception>
    public async ValueTask<string?> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var read = await ReadAsync(cancellation);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end);
                if (line.Length > MaxCommand)
                {
                    throw new InvalidDataException("line too long");
                }

                var text = Encoding.UTF8.GetString(line).TrimEnd('\r');
                _reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return text;
            }

            if (read.Buffer.Length > MaxCommand)
            {
                throw new InvalidDataException("line too long");
            }

            _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
            {
                return null;
            }
        }
    }

    /// <summary>Reads to the line with a lone dot, and takes the dots away that were put before other dots (RFC 5321, 4.5.2).</summary>
    /// <returns>The beginning, at most <see cref="SandboxServer.MaxRaw"/> octets, and the size of the whole; null when the client has closed.</returns>
    /// <exception cref="InvalidDataException">A line is too long.</exception>
    public async ValueTask<(byte[] Raw, long Size)?> ReadBodyAsync(CancellationToken cancellation)
    {
        _body.ResetWrittenCount();
        long size = 0;
        while (true)
        {
            var read = await ReadAsync(cancellation);
            var isWhole = Take(read.Buffer, ref size, out var taken);
            _reader.AdvanceTo(taken, isWhole ? taken : read.Buffer.End);
            if (isWhole)
            {
                return (_body.WrittenSpan.ToArray(), size);
            }

            if (read.IsCompleted)
            {
                return null;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _reader.CompleteAsync();
        await _writer.CompleteAsync();
        await _stream.DisposeAsync();
    }

    private async ValueTask<ReadResult> ReadAsync(CancellationToken cancellation)
    {
        if (_reader.TryRead(out var read))
        {
            return read;
        }

        await _writer.FlushAsync(cancellation);
        return await _reader.ReadAsync(cancellation);
    }

    private bool Take(ReadOnlySequence<byte> buffer, ref long size, out SequencePosition taken)
    {
        var reader = new SequenceReader<byte>(buffer);
        while (reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8))
        {
            if (!line.IsEmpty && line.FirstSpan[0] == (byte)'.')
            {
                line = line.Slice(1);
                if (line.IsEmpty)
                {
                    taken = reader.Position;
                    return true;
                }
            }

            size += line.Length + 2;
            if (_body.WrittenCount < SandboxServer.MaxRaw)
            {
                Keep(line);
            }
        }

        if (reader.Remaining > MaxTextLine)
        {
            throw new InvalidDataException("line too long");
        }

        taken = reader.Position;
        return false;
    }

    private void Keep(ReadOnlySequence<byte> line)
    {
        foreach (var part in line.Slice(0, Math.Min(line.Length, SandboxServer.MaxRaw - _body.WrittenCount)))
        {
            _body.Write(part.Span);
        }

        _body.Write("\r\n"u8);
    }
}
