using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Npgsql;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Writes rows by <c>COPY ... FROM STDIN (FORMAT BINARY)</c>. Npgsql's own importer takes a call that may wait for each single value; here a row is laid into
/// a buffer, and only the buffer is waited for.
/// </summary>
internal sealed class PostgresCopy : IAsyncDisposable
{
    private const int SendAt = 64 * 1024;

    // PostgreSQL documentation, COPY, "Binary Format": signature, no flags, no extension.
    private static readonly byte[] Signature = [.. "PGCOPY\n"u8, 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly Stream _stream;
    // Large enough to be given to the system at once, and so a large object: one that is used again.
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(SendAt * 2);
    private int _length;

    private PostgresCopy(Stream stream)
    {
        _stream = stream;
        Signature.CopyTo(_buffer, 0);
        _length = Signature.Length;
    }

    public static async Task<PostgresCopy> BeginAsync(NpgsqlConnection connection, string table, CancellationToken cancellation) =>
        new(await connection.BeginRawBinaryCopyAsync($"COPY {table} FROM STDIN (FORMAT BINARY)", cancellation));

    /// <summary>Begins a row, which then needs as many values.</summary>
    public async ValueTask RowAsync(short values, CancellationToken cancellation)
    {
        if (_length >= SendAt)
        {
            await SendAsync(cancellation);
        }

        BinaryPrimitives.WriteInt16BigEndian(Need(2), values);
        _length += 2;
    }

    public void Null() => Int(-1);

    public void Integer(int value)
    {
        Int(4);
        Int(value);
    }

    public void BigInt(long value)
    {
        Int(8);
        BinaryPrimitives.WriteInt64BigEndian(Need(8), value);
        _length += 8;
    }

    public void BigInt(long? value)
    {
        if (value is { } number)
        {
            BigInt(number);
        }
        else
        {
            Null();
        }
    }

    public void Text(string? text)
    {
        if (text is null)
        {
            Null();
            return;
        }

        var span = Need(4 + Encoding.UTF8.GetMaxByteCount(text.Length));
        var bytes = Encoding.UTF8.GetBytes(text, span[4..]);
        BinaryPrimitives.WriteInt32BigEndian(span, bytes);
        _length += 4 + bytes;
    }

    public void Text(ReadOnlySpan<byte> utf8)
    {
        var span = Need(4 + utf8.Length);
        BinaryPrimitives.WriteInt32BigEndian(span, utf8.Length);
        utf8.CopyTo(span[4..]);
        _length += 4 + utf8.Length;
    }

    public void Jsonb(ReadOnlySpan<byte> utf8)
    {
        var span = Need(5 + utf8.Length);
        BinaryPrimitives.WriteInt32BigEndian(span, utf8.Length + 1);
        span[4] = 1;
        utf8.CopyTo(span[5..]);
        _length += 5 + utf8.Length;
    }

    /// <summary>jsonb: the version of its binary form, then the text.</summary>
    public void Jsonb(string json)
    {
        var span = Need(5 + Encoding.UTF8.GetMaxByteCount(json.Length));
        var bytes = Encoding.UTF8.GetBytes(json, span[5..]);
        BinaryPrimitives.WriteInt32BigEndian(span, bytes + 1);
        span[4] = 1;
        _length += 5 + bytes;
    }

    public async Task CompleteAsync(CancellationToken cancellation)
    {
        BinaryPrimitives.WriteInt16BigEndian(Need(2), -1);
        _length += 2;
        await SendAsync(cancellation);
        await _stream.DisposeAsync();
    }

    // After a failure the transaction is rolled back, whatever the server got of the rows.
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        if (Interlocked.Exchange(ref _buffer, []) is { Length: > 0 } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Int(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(Need(4), value);
        _length += 4;
    }

    private Span<byte> Need(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_buffer.Length * 2, _length + bytes));
            _buffer.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return _buffer.AsSpan(_length);
    }

    private async ValueTask SendAsync(CancellationToken cancellation)
    {
        await _stream.WriteAsync(_buffer.AsMemory(0, _length), cancellation);
        _length = 0;
    }
}
