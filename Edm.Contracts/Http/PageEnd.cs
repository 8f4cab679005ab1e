using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Edm.Contracts.Http;

// Where a page of contacts ended: on the wire a number in the order of coming, and a text in any other. Not a doc comment: the API's description says it where it is used.
[JsonConverter(typeof(PageEndConverter))]
public readonly record struct PageEnd(string Text)
{
    public override string ToString() => Text;
}

internal sealed class PageEndConverter : JsonConverter<PageEnd>
{
    public override PageEnd Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(reader.TokenType == JsonTokenType.Number ? reader.GetInt64().ToString(CultureInfo.InvariantCulture) : reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, PageEnd value, JsonSerializerOptions options)
    {
        if (long.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteStringValue(value.Text);
        }
    }
}
