using System.Buffers;
using System.Text.Unicode;

namespace Edm.Engine.Imports;

/// <summary>
/// Cuts a stream into JSON values that are parsed one by one: the lines of NDJSON, or the elements of one array. Holds one value at a time, of at most
/// <see cref="ImportOptions.MaxRowBytes"/>. Whether a slice is a JSON value is for the parser to say.
/// </summary>
internal sealed class JsonSlices(Stream stream, bool isArray)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private long _lines = 1;
    private long _bufferOffset;
    private Expect _expect = isArray ? Expect.Array : Expect.Value;

    private enum Expect
    {
        Array,
        FirstOrEnd,
        Value,
        CommaOrEnd,
        Nothing,
    }

    /// <summary>Where the current value begins, counted from 1.</summary>
    public long Line { get; private set; } = 1;

    /// <summary>Where the current value begins, in bytes.</summary>
    public long Offset { get; private set; }

    /// <summary>The next value, valid until the next call; null at the end.</summary>
    /// <exception cref="ImportFormatException">Too large, not UTF-8, or not an array.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellation)
    {
        while (await SkipSpaceAsync(cancellation))
        {
            switch (_expect, (char)_buffer[_start])
            {
                case (Expect.Array, '['):
                    Step(Expect.FirstOrEnd);
                    break;
                case (Expect.FirstOrEnd or Expect.CommaOrEnd, ']'):
                    Step(Expect.Nothing);
                    break;
                case (Expect.CommaOrEnd, ','):
                    Step(Expect.Value);
                    break;
                case (Expect.FirstOrEnd or Expect.Value, _):
                    _expect = isArray ? Expect.CommaOrEnd : Expect.Value;
                    return await ValueAsync(cancellation);
                case (Expect.Nothing, _):
                    throw new ImportFormatException("Something follows the end of the JSON array.", _lines, offset: Here);
                default:
                    throw new ImportFormatException(_expect == Expect.Array ? "Expected the '[' of a JSON array." : "Expected ',' or ']' after an element of the JSON array.", _lines, offset: Here);
            }
        }

        return !isArray || _expect == Expect.Nothing ? null : throw new ImportFormatException("The JSON array ends too early: its ']' is missing.", _lines, offset: Here);
    }

    private long Here => _bufferOffset + _start;

    private void Step(Expect next)
    {
        _start++;
        _expect = next;
    }

    private async ValueTask<bool> SkipSpaceAsync(CancellationToken cancellation)
    {
        while (true)
        {
            for (; _start < _end; _start++)
            {
                switch (_buffer[_start])
                {
                    case (byte)'\n':
                        _lines++;
                        break;
                    case (byte)' ' or (byte)'\t' or (byte)'\r':
                        break;
                    default:
                        return true;
                }
            }

            if (!await FillAsync(cancellation))
            {
                return false;
            }
        }
    }

    private async ValueTask<ReadOnlyMemory<byte>> ValueAsync(CancellationToken cancellation)
    {
        (Line, Offset) = (_lines, Here);
        var scan = new ElementScan();
        var seen = 0;
        while (true)
        {
            var fresh = _buffer.AsSpan(_start + seen, _end - _start - seen);
            var length = isArray ? scan.Continue(fresh) : fresh.IndexOf((byte)'\n');
            if (length >= 0)
            {
                return Take(seen + length);
            }

            seen = _end - _start;
            if (seen >= ImportOptions.MaxRowBytes)
            {
                throw new ImportFormatException($"A {(isArray ? "value" : "line")} is larger than {ImportOptions.MaxRowBytes / 1024} KiB.", Line, offset: Offset);
            }

            if (!await FillAsync(cancellation))
            {
                return isArray ? throw new ImportFormatException("The JSON array ends too early, inside of this element.", Line, offset: Offset) : Take(seen);
            }
        }
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        var value = _buffer.AsMemory(_start, length);
        _start += length;
        if (!Utf8.IsValid(value.Span))
        {
            Utf8.ToUtf16(value.Span, new char[value.Length], out var valid, out _, replaceInvalidSequences: false);
            throw new ImportFormatException("The file is not UTF-8 here: this byte belongs to no character. Save it as UTF-8.", Line + value.Span[..valid].Count((byte)'\n'), offset: Offset + valid);
        }

        _lines += value.Span.Count((byte)'\n');
        return value;
    }

    /// <summary>Reads more behind what has not been taken.</summary>
    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _bufferOffset += _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _end += read;
        return read > 0;
    }

    /// <summary>Finds where an element of an array ends, over as many pieces as it comes in.</summary>
    private struct ElementScan
    {
        private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8);
        private static readonly SearchValues<byte> StringEnd = SearchValues.Create("\"\\"u8);

        private int _depth;
        private bool _inString;
        private bool _escaped;

        /// <returns>The length within this piece, or -1 when the element goes on.</returns>
        public int Continue(ReadOnlySpan<byte> piece)
        {
            for (var i = 0; i < piece.Length; i++)
            {
                if (_escaped)
                {
                    _escaped = false;
                    continue;
                }

                var next = piece[i..].IndexOfAny(_inString ? StringEnd : Structure);
                if (next < 0)
                {
                    return -1;
                }

                i += next;
                switch (piece[i])
                {
                    case (byte)'"':
                        _inString = !_inString;
                        break;
                    case (byte)'\\':
                        _escaped = true;
                        break;
                    case (byte)'{' or (byte)'[':
                        _depth++;
                        break;
                    // The comma or bracket after a number, a string, true, false or null.
                    case (byte)',' or (byte)']' or (byte)'}' when _depth == 0:
                        return i;
                    case (byte)'}' or (byte)']' when --_depth == 0:
                        return i + 1;
                }
            }

            return -1;
        }
    }
}
