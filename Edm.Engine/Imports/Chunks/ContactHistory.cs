using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Edm.Engine.Imports.Chunks;

/// <summary>What an import changed of a contact, as its history keeps it: <c>{"handle":["old","new"],"attributes.mood":[null,"new"]}</c>. Not thread-safe: it keeps its buffers.</summary>
internal sealed class ContactHistory(ContactAttributes attributes)
{
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _json = new(1024);

    public string Of(StagedContact old, StagedContact fresh)
    {
        _json.ResetWrittenCount();
        using var writer = new Utf8JsonWriter(_json, Json);
        writer.WriteStartObject();
        Text(writer, "email", old.Email, fresh.Email);
        Text(writer, "handle", old.Handle, fresh.Handle);
        Text(writer, "nickname", old.Nickname, fresh.Nickname);
        if (old.Followers != fresh.Followers)
        {
            writer.WriteStartArray("followers");
            Number(writer, old.Followers);
            Number(writer, fresh.Followers);
            writer.WriteEndArray();
        }

        Text(writer, "country", old.Country, fresh.Country);
        Text(writer, "language", old.Language, fresh.Language);
        Text(writer, "category", old.Category, fresh.Category);
        Text(writer, "bio", old.Bio, fresh.Bio);
        if (old.Attributes != fresh.Attributes)
        {
            foreach (var (name, before, after) in attributes.Differences(old.Attributes, fresh.Attributes))
            {
                Text(writer, $"attributes.{name}", before, after);
            }
        }

        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(_json.WrittenSpan);
    }

    /// <summary>Two changes of one import made one.</summary>
    /// <returns>Null when the later one took all of the earlier one back.</returns>
    public static string? Joined(string earlier, string later)
    {
        var all = JsonNode.Parse(earlier)!.AsObject();
        foreach (var (field, change) in JsonNode.Parse(later)!.AsObject())
        {
            var before = (all[field] ?? change)!.AsArray()[0];
            var after = change!.AsArray()[1];
            if (JsonNode.DeepEquals(before, after))
            {
                all.Remove(field);
            }
            else
            {
                all[field] = new JsonArray(before?.DeepClone(), after?.DeepClone());
            }
        }

        return all.Count == 0 ? null : all.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    private static void Text(Utf8JsonWriter writer, string field, string? old, string? fresh)
    {
        if (old != fresh)
        {
            writer.WriteStartArray(field);
            writer.WriteStringValue(old);
            writer.WriteStringValue(fresh);
            writer.WriteEndArray();
        }
    }

    private static void Number(Utf8JsonWriter writer, long? value)
    {
        if (value is { } number)
        {
            writer.WriteNumberValue(number);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
