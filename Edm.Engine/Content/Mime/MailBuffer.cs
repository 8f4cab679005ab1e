using System.Buffers;
using System.Text;
using Edm.Engine.Services;

namespace Edm.Engine.Content.Mime;

/// <summary>Where one mail is written: a pooled array that grows, with room before the first octet for what is known last, the signature.</summary>
internal sealed class MailBuffer : IDisposable
{
    /// <summary>Room for one DKIM-Signature under the largest key we take, RSA of 4,096 bits: 684 characters of signature and as much around it.</summary>
    public const int Headroom = 2048;

    /// <summary>A two-part mail of usual size needs no second array.</summary>
    private const int Usual = 16 * 1024;

    private byte[] _array = ArrayPool<byte>.Shared.Rent(Usual);
    private int _start = Headroom;
    private int _end = Headroom;
    private int _lineStart = Headroom;

    /// <summary>Everything that was written.</summary>
    public ReadOnlySpan<byte> Written => _array.AsSpan(_start, _end - _start);

    public int Length => _end - _start;

    /// <summary>Octets since the last <see cref="EndLine"/>.</summary>
    public int Column => _end - _lineStart;

    public void Write(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(GetSpan(octets.Length));
        _end += octets.Length;
    }

    public void Write(byte octet)
    {
        GetSpan(1)[0] = octet;
        _end++;
    }

    /// <summary>In UTF-8; half a surrogate pair becomes U+FFFD.</summary>
    public void Write(ReadOnlySpan<char> text)
    {
        var span = GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        _end += Encoding.UTF8.GetBytes(text, span);
    }

    public void EndLine()
    {
        Write("\r\n"u8);
        _lineStart = _end;
    }

    /// <summary>At least <paramref name="size"/> octets to write into; <see cref="Advance"/> tells how many were.</summary>
    public Span<byte> GetSpan(int size)
    {
        if (_array.Length - _end < size)
        {
            Grow(size);
        }

        return _array.AsSpan(_end);
    }

    public void Advance(int written) => _end += written;

    /// <exception cref="InvalidOperationException">It does not fit into the headroom.</exception>
    public void Prepend(ReadOnlySpan<byte> octets)
    {
        if (octets.Length > _start)
        {
            throw new InvalidOperationException($"{octets.Length} octets do not fit before the mail.");
        }

        _start -= octets.Length;
        octets.CopyTo(_array.AsSpan(_start));
    }

    /// <summary>The array goes over to the mail; this buffer is used up.</summary>
    public OutgoingMail ToMail(bool isEightBit, bool hasUtf8Header)
    {
        var length = Length;
        Write(OutgoingMail.End);
        var mail = new OutgoingMail(_array, _start, length, isEightBit, hasUtf8Header);
        _array = [];
        return mail;
    }

    public void Dispose()
    {
        if (_array.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = [];
        }
    }

    private void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_array.Length * 2, checked(_end + size)));
        _array.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
