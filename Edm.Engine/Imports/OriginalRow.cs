using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Engine.Imports;

/// <summary>
/// A refused row as its owner wrote it, so that it can be mended and sent again: a JSON array of the fields where the file has a header, an object where each
/// row names its columns.
/// </summary>
internal static class OriginalRow
{
    /// <summary>Of one row. Longer ones are given back up to the field that does not fit, so that a hostile file does not fill the disk with copies of itself.</summary>
    public const int MaxBytes = 8 * 1024;

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string OfFields(int count, Func<int, string> field)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, Json);
        writer.WriteStartArray();
        for (var i = 0; i < count; i++)
        {
            var text = Clean(field(i));
            if (writer.BytesCommitted + writer.BytesPending + text.Length > MaxBytes)
            {
                break;
            }

            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
        writer.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    public static string OfCells(IReadOnlyList<ImportCell> cells)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, Json);
        writer.WriteStartObject();
        foreach (var cell in cells)
        {
            var (name, value) = (Clean(cell.Column.Name), Clean(cell.Value));
            if (writer.BytesCommitted + writer.BytesPending + name.Length + value.Length > MaxBytes)
            {
                break;
            }

            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    // PostgreSQL can't hold NUL.
    private static string Clean(string text) => text.Replace('\0', '\uFFFD');
}
