namespace Edm.Engine.Tests.Imports;

/// <summary>Given bytes and then one byte over and over, made as it is read.</summary>
internal sealed class EndlessStream(byte[] start, byte filling, long length) : ReadOnlyStream
{
    public long BytesRead { get; private set; }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = (int)Math.Min(buffer.Length, length - BytesRead);
        buffer.Span[..count].Fill(filling);
        for (var i = 0; i < count && BytesRead + i < start.Length; i++)
        {
            buffer.Span[i] = start[BytesRead + i];
        }

        BytesRead += count;
        return ValueTask.FromResult(count);
    }
}

/// <summary>Gives a few bytes at a time, as a network does.</summary>
internal sealed class PieceStream(byte[] bytes, int piece) : ReadOnlyStream
{
    private int _position;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        var count = Math.Min(Math.Min(buffer.Length, piece), bytes.Length - _position);
        bytes.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        return count;
    }
}

/// <summary>Can be read by the asynchronous call only, as a request body.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Gives its bytes once somebody opens it.</summary>
internal sealed class GatedStream(string text) : ReadOnlyStream
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly MemoryStream _bytes = new(System.Text.Encoding.UTF8.GetBytes(text));

    public void Open() => _open.TrySetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _open.Task.WaitAsync(cancellationToken);
        return await _bytes.ReadAsync(buffer, cancellationToken);
    }
}
