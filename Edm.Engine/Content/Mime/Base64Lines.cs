using System.Buffers.Text;

namespace Edm.Engine.Content.Mime;

/// <summary>RFC 2045, 6.8: lines of 76 characters.</summary>
internal static class Base64Lines
{
    private const int OctetsALine = 57;

    public static void Write(MailBuffer buffer, ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var line = octets[..Math.Min(OctetsALine, octets.Length)];
            Base64.EncodeToUtf8(line, buffer.GetSpan(Base64.GetMaxEncodedToUtf8Length(line.Length)), out _, out var written);
            buffer.Advance(written);
            buffer.EndLine();
            octets = octets[line.Length..];
        }
    }
}
