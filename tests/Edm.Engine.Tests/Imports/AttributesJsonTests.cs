using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsCheck;
using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class AttributesJsonTests
{
    private static readonly string[] Pieces = ["a", "\"", "\\", "\n", "\u0001", "\u007f", "\u2028", "é", "<&'>", "😀", "日本", " "];

    private static readonly Gen<string> Texts = Gen.OneOf(Gen.String, Gen.Int[0, Pieces.Length - 1].Select(at => Pieces[at]).Array[0, 20].Select(string.Concat));

    private readonly AttributesJson _json = new();

    [Fact]
    public void The_bytes_are_those_of_the_writer_of_the_platform() =>
        Gen.Select(Texts, Texts).Array[0, 5].Sample(pairs => Assert.Equal(Expected(pairs), Written(pairs)), threads: 1);

    [Fact]
    public void A_long_text_needs_more_room() => Assert.Equal(Expected([("a", new string('é', 100_000))]), Written([("a", new string('é', 100_000))]));

    private string Written((string Name, string Value)[] pairs)
    {
        _json.Begin();
        foreach (var (name, value) in pairs)
        {
            _json.Add(name, value);
        }

        return Encoding.UTF8.GetString(_json.End());
    }

    private static string Expected((string Name, string Value)[] pairs)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        writer.WriteStartObject();
        foreach (var (name, value) in pairs)
        {
            writer.WriteString(name, value);
        }

        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
