using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Edm.Engine.Services.Dkim;

/// <summary>Makes the DKIM-Signature of a mail (RFC 6376), relaxed/relaxed. Thread-safe.</summary>
internal sealed class DkimSigner(string domain, string selector, DkimKey key)
{
    /// <summary>
    /// Fields that are signed once more than they are there: nobody can add another one that a reader would show instead (RFC 6376, 5.4.2 and 8.15).
    /// </summary>
    private static readonly string[] Sealed = ["from", "to", "cc", "subject", "reply-to", "content-type"];

    /// <summary>Signed where they are there (RFC 6376, 5.4.1).</summary>
    private static readonly string[] Signed = ["mime-version", "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "list-id"];

    /// <summary>As <see cref="Signed"/>, but some relays write their own.</summary>
    private static readonly string[] SignedUnlessRewritten = ["date", "message-id"];

    private const int MaxBase64Line = 72;

    /// <param name="mail">Header and body, lines ended by CRLF.</param>
    /// <param name="relayRewrites">The server writes Date and Message-ID anew, which would break a signature over them.</param>
    /// <returns>The whole field with its last CRLF, to be put before everything else.</returns>
    public byte[] Sign(ReadOnlySpan<byte> mail, DateTimeOffset at, bool relayRewrites)
    {
        var headerEnd = mail.IndexOf("\r\n\r\n"u8);
        var header = mail[..(headerEnd + 2)];
        var field = new StringBuilder(1024);
        field.Append(CultureInfo.InvariantCulture, $"DKIM-Signature: v=1; a={DkimKey.NameOf(key.Algorithm)}-sha256; c=relaxed/relaxed; d={domain};\r\n")
            .Append(CultureInfo.InvariantCulture, $"\ts={selector}; t={at.ToUnixTimeSeconds()};\r\n\th=");

        var array = ArrayPool<byte>.Shared.Rent(mail.Length + 4096);
        try
        {
            var length = 0;
            var separator = "";
            foreach (var name in relayRewrites ? (string[])[.. Sealed, .. Signed] : [.. Sealed, .. SignedUnlessRewritten, .. Signed])
            {
                var found = false;
                if (Find(header, name) is { Length: > 0 } signed)
                {
                    found = true;
                    length += RelaxedForm.Field(signed, array.AsSpan(length));
                    "\r\n"u8.CopyTo(array.AsSpan(length));
                    length += 2;
                    field.Append(separator).Append(name);
                    separator = ":";
                }

                if (Array.IndexOf(Sealed, name) >= 0)
                {
                    field.Append(separator).Append(found ? "\r\n\t " : "").Append(name);
                    separator = ":";
                }
            }

            field.Append(";\r\n\tbh=").Append(BodyHash(mail[(headerEnd + 4)..])).Append(";\r\n\tb=");
            length += RelaxedForm.Field(Encoding.ASCII.GetBytes(field.ToString()), array.AsSpan(length));
            var signature = Convert.ToBase64String(key.Sign(SHA256.HashData(array.AsSpan(0, length))));
            for (var done = 0; done < signature.Length; done += MaxBase64Line)
            {
                field.Append(done == 0 ? "" : "\r\n\t ").Append(signature, done, Math.Min(MaxBase64Line, signature.Length - done));
            }

            return Encoding.ASCII.GetBytes(field.Append("\r\n").ToString());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static string BodyHash(ReadOnlySpan<byte> body)
    {
        var array = ArrayPool<byte>.Shared.Rent(body.Length + 2);
        try
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(array.AsSpan(0, RelaxedForm.Body(body, array)), hash);
            return Convert.ToBase64String(hash);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    /// <returns>The one field of this name, folds included, without its last CRLF; empty when there is none. Our mails have each field once.</returns>
    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> header, string name)
    {
        while (!header.IsEmpty)
        {
            var end = header.IndexOf("\r\n"u8);
            while (end + 2 < header.Length && header[end + 2] is (byte)' ' or (byte)'\t')
            {
                end += 2 + header[(end + 2)..].IndexOf("\r\n"u8);
            }

            if (header.Length > name.Length && header[name.Length] == ':' && Ascii.EqualsIgnoreCase(header[..name.Length], name))
            {
                return header[..end];
            }

            header = header[(end + 2)..];
        }

        return [];
    }
}
