using System.Text.Json;
using System.Text.Json.Serialization;

namespace Edm.Contracts.Http;

// A field of a change: left out means "as it is", and null means null (RFC 7396). Not a doc comment: the API's description would repeat it for every field.
[JsonConverter(typeof(OptionalConverterFactory))]
public readonly struct Optional<T>(T? value)
{
    private readonly T? _value = value;

    public bool IsGiven { get; } = true;

    /// <summary>The value, or <paramref name="current"/> where the field was left out.</summary>
    public T? Or(T? current) => IsGiven ? _value : current;

    /// <summary>As <see cref="Or"/>, for a field that can't be null.</summary>
    /// <exception cref="FieldException">It is given as null.</exception>
    public T OrKeep(T current, string field) => IsGiven ? _value ?? throw new FieldException(field, "This field can't be null.") : current;
}

internal sealed class OptionalConverterFactory : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsGenericType && typeToConvert.GetGenericTypeDefinition() == typeof(Optional<>);

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(OptionalConverter<>).MakeGenericType(typeToConvert.GetGenericArguments()))!;
}

internal sealed class OptionalConverter<T> : JsonConverter<Optional<T>>
{
    public override bool HandleNull => true;

    public override Optional<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(JsonSerializer.Deserialize<T>(ref reader, options));

    // Changes are read and never answered; only the description of the API writes one, as the value of a field that is left out.
    public override void Write(Utf8JsonWriter writer, Optional<T> value, JsonSerializerOptions options) => writer.WriteNullValue();
}
