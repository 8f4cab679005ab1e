using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Edm.Engine.Imports;

/// <summary>
/// Reads a file as characters, at constant memory and without ever waiting on a thread. The encoding is decided where the first byte outside ASCII stands, be it far behind
/// the start. Strict: a broken character is refused with its place.
/// </summary>
internal sealed class TextSource(Stream stream)
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>What is looked at to decide.</summary>
    private const int SampleBytes = 32 * 1024;

    private readonly byte[] _bytes = new byte[BufferBytes];
    private int _start;
    private int _end;
    private long _offset;
    private long _lines = 1;
    private bool _ended;
    private bool _decided;
    private Decoder? _decoder;

    /// <summary>As far as is known by now.</summary>
    public TextEncoding Encoding { get; private set; } = TextEncoding.Ascii;

    /// <summary>Decodes some more; 0 at the end.</summary>
    /// <param name="buffer">At least 64 characters, so that there is progress.</param>
    /// <exception cref="ImportFormatException">It is no text, or a character is broken.</exception>
    public async ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            if (_start == _end || (_decided && !_ended && _end - _start < 8))
            {
                await FillAsync(1, cancellation);
            }

            if (_start == _end && _ended && _decoder is null)
            {
                return 0;
            }

            if (!_decided)
            {
                await DecideAsync(cancellation);
            }

            var written = Decode(buffer.Span);
            if (written > 0)
            {
                return written;
            }

            if (_ended && _start == _end)
            {
                return 0;
            }

            if (!_ended)
            {
                await FillAsync(1, cancellation);
            }
        }
    }

    private async ValueTask DecideAsync(CancellationToken cancellation)
    {
        if (_offset == 0 || (_start < _end && _bytes[_start] >= 0x80))
        {
            await FillAsync(SampleBytes, cancellation);
            // Always the same bytes, however they came: a file is read twice, and must be understood alike.
            var sample = _bytes.AsSpan(_start, Math.Min(SampleBytes, _end - _start));
            if (EncodingDetector.Detect(sample, _ended && sample.Length == _end - _start, _offset, _lines) is { } found)
            {
                Encoding = found;
                _decided = true;
                _decoder = found.IsUtf8 ? null : found.Encoding.GetDecoder();
                _start += found.Mark;
                _offset += found.Mark;
            }
        }
    }

    private int Decode(Span<char> buffer)
    {
        var bytes = _bytes.AsSpan(_start, _end - _start);
        if (!_decided && bytes.IndexOfAnyExceptInRange((byte)0, (byte)0x7F) is >= 0 and var other)
        {
            // What comes next decides.
            bytes = bytes[..other];
        }

        int used, written;
        if (_decoder is null)
        {
            var status = Utf8.ToUtf16(bytes, buffer, out used, out written, replaceInvalidSequences: false, isFinalBlock: _ended);
            if (status == OperationStatus.InvalidData && written == 0)
            {
                throw Broken(used);
            }
        }
        else
        {
            try
            {
                _decoder.Convert(bytes, buffer, flush: _ended, out used, out written, out _);
            }
            catch (DecoderFallbackException exception)
            {
                throw Broken(Math.Clamp(exception.Index, 0, bytes.Length));
            }
        }

        _lines += buffer[..written].Count('\n');
        _start += used;
        _offset += used;
        return written;
    }

    private ImportFormatException Broken(int at)
    {
        var line = _lines + _bytes.AsSpan(_start, at).Count((byte)'\n');
        return new ImportFormatException(
            Encoding.IsUtf8
                ? "The file is UTF-8, but not here: this byte belongs to no character. Perhaps two files of different encodings were joined. Save it anew as UTF-8 (in Excel: \"CSV UTF-8\")."
                : $"The file is {Encoding.Name}, but not here: this byte belongs to no character. Save it as UTF-8 (in Excel: \"CSV UTF-8\").",
            line,
            offset: _offset + at);
    }

    /// <summary>Until so many bytes are there, or the file has ended.</summary>
    private async ValueTask FillAsync(int atLeast, CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            _end -= _start;
            _start = 0;
        }

        var wanted = atLeast == 1 ? _end + 1 : Math.Min(atLeast, _bytes.Length);
        while (!_ended && _end < wanted && _end < _bytes.Length)
        {
            var read = await stream.ReadAsync(_bytes.AsMemory(_end), cancellation);
            _ended = read == 0;
            _end += read;
        }
    }
}
