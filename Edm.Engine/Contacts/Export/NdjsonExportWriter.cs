using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Engine.Contacts.Export;

/// <summary>One JSON object a line; a nested member is what a CSV export calls <c>edm.id</c> or <c>attr.NAME</c>.</summary>
internal sealed class NdjsonExportWriter : IExportWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public void Begin(IBufferWriter<byte> output)
    {
    }

    public void Write(ExportedContact contact, IBufferWriter<byte> output)
    {
        var row = contact.Row;
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteStartObject(ExportNames.Own[..^1]);
            json.WriteNumber(Name(ExportNames.Id), row.Id.Value);
            json.WriteString(Name(ExportNames.Status), row.Status);
            json.WriteString(Name(ExportNames.CreatedAt), ExportTimes.Of(row.CreatedAt));
            json.WriteString(Name(ExportNames.UpdatedAt), ExportTimes.Of(row.UpdatedAt));
            json.WriteString(Name(ExportNames.LastSentAt), contact.LastSentAt is { } at ? ExportTimes.Of(at) : null);
            json.WriteEndObject();
            json.WriteString("email", row.Email);
            json.WriteString("handle", row.Handle);
            json.WriteString("nickname", row.Nickname);
            if (row.Followers is { } followers)
            {
                json.WriteNumber("followers", followers);
            }
            else
            {
                json.WriteNull("followers");
            }

            json.WriteString("country", row.Country);
            json.WriteString("language", row.Language);
            json.WriteString("category", row.Category);
            json.WriteString("bio", row.Bio);
            json.WriteStartArray(ExportNames.Tags);
            foreach (var tag in contact.Tags)
            {
                json.WriteStringValue(tag);
            }

            json.WriteEndArray();
            json.WriteStartObject(ExportNames.Attribute[..^1]);
            foreach (var (name, value) in row.ReadAttributes())
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    private static string Name(string column) => column[ExportNames.Own.Length..];
}
