using System.Buffers;

namespace Edm.Engine.Services;

/// <summary>
/// One mail as it goes on the wire: header and body, every line ended by CRLF and at most 998 octets long (RFC 5322, 2.1.1). The octets are in a pooled
/// array that goes back when the mail is disposed; a mail that is not disposed costs a collection and nothing else.
/// </summary>
public sealed class OutgoingMail : IDisposable
{
    /// <summary>What ends the mail in the array: the line with a lone dot (RFC 5321, 4.1.1.4).</summary>
    public static ReadOnlySpan<byte> End => ".\r\n"u8;

    private readonly int _start;
    private byte[]? _array;

    /// <param name="array">Of the shared pool; it belongs to the mail from now on. <see cref="End"/> stands behind the mail.</param>
    /// <param name="length">Octets of the mail, without <see cref="End"/>.</param>
    internal OutgoingMail(byte[] array, int start, int length, bool isEightBit, bool hasUtf8Header)
    {
        (_array, _start, Length, IsEightBit, HasUtf8Header) = (array, start, length, isEightBit, hasUtf8Header);
    }

    /// <summary>Octets, dots not stuffed and without the closing dot: what SIZE counts (RFC 1870, 6.1).</summary>
    public int Length { get; }

    /// <summary>The body has octets above 127: for servers with 8BITMIME (RFC 6152).</summary>
    public bool IsEightBit { get; }

    /// <summary>An address in the header has letters outside ASCII: for servers with SMTPUTF8 (RFC 6531, RFC 6532).</summary>
    public bool HasUtf8Header { get; }

    /// <exception cref="ObjectDisposedException">The array is back in the pool.</exception>
    public ReadOnlyMemory<byte> Octets => Array.AsMemory(_start, Length);

    /// <summary><see cref="Octets"/> and the line with a lone dot.</summary>
    /// <exception cref="ObjectDisposedException">The array is back in the pool.</exception>
    public ReadOnlyMemory<byte> WithEnd => Array.AsMemory(_start, Length + End.Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(OutgoingMail));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }
}
