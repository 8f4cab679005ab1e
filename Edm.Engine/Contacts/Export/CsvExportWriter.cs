using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Engine.Contacts.Export;

/// <summary>
/// RFC 4180 in UTF-8 with a byte order mark, by which spreadsheets and imports know the encoding. Texts are always in quotes, and exactly what is stored: also what a
/// spreadsheet takes for a formula, since a value that was made harmless would come back as another one.
/// </summary>
/// <param name="attributes">Those that get columns of their own.</param>
internal sealed class CsvExportWriter(IReadOnlyList<string> attributes) : IExportWriter
{
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] Fixed =
    [
        ExportNames.Id, "email", "handle", "nickname", "followers", "country", "language", "category", "bio", ExportNames.Tags, ExportNames.Status, ExportNames.CreatedAt,
        ExportNames.UpdatedAt, ExportNames.LastSentAt, ExportNames.More,
    ];

    private readonly HashSet<string> _known = new(attributes, StringComparer.Ordinal);
    private readonly StringBuilder _line = new();

    public void Begin(IBufferWriter<byte> output)
    {
        output.Write((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]);
        _line.Append(string.Join(',', Fixed));
        foreach (var name in attributes)
        {
            _line.Append(',');
            Text(ExportNames.Attribute + name);
        }

        End(output);
    }

    public void Write(ExportedContact contact, IBufferWriter<byte> output)
    {
        var row = contact.Row;
        _line.Append(row.Id.Value);
        foreach (var text in (ReadOnlySpan<string?>)[row.Email, row.Handle, row.Nickname])
        {
            Next().Text(text);
        }

        Next()._line.Append(row.Followers);
        foreach (var text in (ReadOnlySpan<string?>)[row.Country, row.Language, row.Category, row.Bio, contact.Tags.Count == 0 ? null : JsonSerializer.Serialize(contact.Tags, Json)])
        {
            Next().Text(text);
        }

        Next()._line.Append(row.Status);
        Next()._line.Append(ExportTimes.Of(row.CreatedAt));
        Next()._line.Append(ExportTimes.Of(row.UpdatedAt));
        Next()._line.Append(contact.LastSentAt is { } at ? ExportTimes.Of(at) : "");
        var values = row.ReadAttributes();
        var more = values.Where(value => !_known.Contains(value.Key)).ToDictionary(value => value.Key, value => value.Value);
        Next().Text(more.Count == 0 ? null : JsonSerializer.Serialize(more, Json));
        foreach (var name in attributes)
        {
            Next().Text(values.GetValueOrDefault(name));
        }

        End(output);
    }

    private CsvExportWriter Next()
    {
        _line.Append(',');
        return this;
    }

    private void Text(string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            _line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        }
    }

    private void End(IBufferWriter<byte> output)
    {
        _line.Append("\r\n");
        foreach (var part in _line.GetChunks())
        {
            // A surrogate pair may lie across two parts; one line is small enough to be taken as a whole then.
            if (part.Length > 0 && char.IsHighSurrogate(part.Span[^1]))
            {
                output.Write(Encoding.UTF8.GetBytes(_line.ToString()));
                _line.Clear();
                return;
            }
        }

        foreach (var part in _line.GetChunks())
        {
            Encoding.UTF8.GetBytes(part.Span, output);
        }

        _line.Clear();
    }
}

internal static class ExportTimes
{
    /// <summary>ISO 8601, UTC, to the millisecond.</summary>
    public static string Of(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
