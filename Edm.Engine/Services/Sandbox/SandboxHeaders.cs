using System.Text;

namespace Edm.Engine.Services.Sandbox;

/// <summary>The two headers that a list of mails shows, as they stand in the mail; encoded words are decoded when they are shown.</summary>
internal static class SandboxHeaders
{
    /// <summary>More of a header is not worth a column.</summary>
    private const int MaxLength = 1_000;

    public static (string? Subject, string? MessageId) Read(ReadOnlySpan<byte> raw)
    {
        var end = raw.IndexOf("\r\n\r\n"u8);
        var headers = end < 0 ? raw : raw[..(end + 2)];
        return (Find(headers, "Subject:"u8), Find(headers, "Message-Id:"u8)?.Trim('<', '>', ' '));
    }

    private static string? Find(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> name)
    {
        StringBuilder? value = null;
        while (!headers.IsEmpty)
        {
            var length = headers.IndexOf("\r\n"u8);
            var line = length < 0 ? headers : headers[..length];
            headers = length < 0 ? [] : headers[(length + 2)..];
            if (value is null)
            {
                if (line.Length >= name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                {
                    value = new StringBuilder(Encoding.UTF8.GetString(line[name.Length..]).Trim());
                }
            }
            else if (line.Length > 0 && (line[0] is (byte)' ' or (byte)'\t') && value.Length < MaxLength)
            {
                // A folded line (RFC 5322, 2.2.3).
                value.Append(' ').Append(Encoding.UTF8.GetString(line).Trim());
            }
            else
            {
                break;
            }
        }

        return value?.ToString(0, Math.Min(value.Length, MaxLength));
    }
}
