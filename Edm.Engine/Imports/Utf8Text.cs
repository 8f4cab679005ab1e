using System.Buffers;
using System.Text.Unicode;

namespace Edm.Engine.Imports;

/// <summary>Reads strict UTF-8 as characters, without ever waiting on a thread. Broken encoding is refused with its line: replaced characters would be stored, and mailed.</summary>
internal sealed class Utf8Text(Stream stream) : TextReader
{
    private const int BufferBytes = 64 * 1024;

    private readonly byte[] _bytes = new byte[BufferBytes];
    private char[] _chars = new char[BufferBytes];
    private int _byteCount;
    private int _charStart;
    private int _charEnd;
    private long _lines = 1;
    private bool _ended;

    /// <summary>The first characters, up to about 64,000, which stay to be read.</summary>
    /// <exception cref="ImportFormatException">They are no UTF-8.</exception>
    public async ValueTask<ReadOnlyMemory<char>> PeekAsync(CancellationToken cancellation)
    {
        while (_charEnd < _chars.Length / 2 && await DecodeAsync(cancellation))
        {
        }

        return _chars.AsMemory(_charStart, _charEnd - _charStart);
    }

    /// <exception cref="ImportFormatException">They are no UTF-8.</exception>
    public override async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
    {
        if (_charStart == _charEnd)
        {
            _charStart = _charEnd = 0;
            while (_charEnd == 0)
            {
                if (!await DecodeAsync(cancellationToken))
                {
                    return 0;
                }
            }
        }

        var count = Math.Min(buffer.Length, _charEnd - _charStart);
        _chars.AsSpan(_charStart, count).CopyTo(buffer.Span);
        _charStart += count;
        return count;
    }

    public override Task<int> ReadAsync(char[] buffer, int index, int count) => ReadAsync(buffer.AsMemory(index, count)).AsTask();

    public override async ValueTask<int> ReadBlockAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
    {
        var total = 0;
        while (total < buffer.Length && await ReadAsync(buffer[total..], cancellationToken) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }

    public override Task<int> ReadBlockAsync(char[] buffer, int index, int count) => ReadBlockAsync(buffer.AsMemory(index, count)).AsTask();

    public override int Read() => throw new NotSupportedException();

    public override int Peek() => throw new NotSupportedException();

    public override int Read(char[] buffer, int index, int count) => throw new NotSupportedException();

    /// <returns>False at the end.</returns>
    private async ValueTask<bool> DecodeAsync(CancellationToken cancellation)
    {
        if (_ended)
        {
            return false;
        }

        var read = await stream.ReadAsync(_bytes.AsMemory(_byteCount), cancellation);
        _ended = read == 0;
        _byteCount += read;
        if (_chars.Length - _charEnd < _byteCount)
        {
            // Only while peeking: the buffer is empty otherwise.
            Array.Resize(ref _chars, _chars.Length * 2);
        }

        var status = Utf8.ToUtf16(_bytes.AsSpan(0, _byteCount), _chars.AsSpan(_charEnd), out var used, out var written, replaceInvalidSequences: false, isFinalBlock: _ended);
        _lines += _bytes.AsSpan(0, used).Count((byte)'\n');
        if (status == OperationStatus.InvalidData)
        {
            throw new ImportFormatException("The file is not UTF-8. Save it as UTF-8 (in Excel: \"CSV UTF-8\").", _lines);
        }

        _charEnd += written;
        _byteCount -= used;
        _bytes.AsSpan(used, _byteCount).CopyTo(_bytes);
        return !_ended || written > 0;
    }
}
