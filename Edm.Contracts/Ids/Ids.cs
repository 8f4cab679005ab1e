using System.Text.Json;
using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>An id is a number that the database made; on the wire it is a plain JSON number.</summary>
public interface IId<TSelf> where TSelf : struct, IId<TSelf>
{
    long Value { get; }
    static abstract TSelf Of(long value);
}

[JsonConverter(typeof(IdConverter<UserId>))]
public readonly record struct UserId(long Value) : IId<UserId>
{
    public static UserId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<ContactId>))]
public readonly record struct ContactId(long Value) : IId<ContactId>
{
    public static ContactId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<TagId>))]
public readonly record struct TagId(long Value) : IId<TagId>
{
    public static TagId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Names one change of tags. Of one user, a later change has a larger number.</summary>
[JsonConverter(typeof(IdConverter<TagOperationId>))]
public readonly record struct TagOperationId(long Value) : IId<TagOperationId>
{
    public static TagOperationId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<ErasureId>))]
public readonly record struct ErasureId(long Value) : IId<ErasureId>
{
    public static ErasureId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<ImportId>))]
public readonly record struct ImportId(long Value) : IId<ImportId>
{
    public static ImportId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<SegmentId>))]
public readonly record struct SegmentId(long Value) : IId<SegmentId>
{
    public static SegmentId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<TemplateId>))]
public readonly record struct TemplateId(long Value) : IId<TemplateId>
{
    public static TemplateId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<CampaignId>))]
public readonly record struct CampaignId(long Value) : IId<CampaignId>
{
    public static CampaignId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<TaskId>))]
public readonly record struct TaskId(long Value) : IId<TaskId>
{
    public static TaskId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<ServiceId>))]
public readonly record struct ServiceId(long Value) : IId<ServiceId>
{
    public static ServiceId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

[JsonConverter(typeof(IdConverter<PoolId>))]
public readonly record struct PoolId(long Value) : IId<PoolId>
{
    public static PoolId Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Names one batch that a UserQueue handed out; counts up for the life of the user and is never used again.</summary>
[JsonConverter(typeof(IdConverter<LeaseNr>))]
public readonly record struct LeaseNr(long Value) : IId<LeaseNr>
{
    public static LeaseNr Of(long value) => new(value);
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>One lane of a pool. As text, and as entity id: <c>pool-lane</c>, such as <c>7-0</c>.</summary>
[JsonConverter(typeof(LaneIdConverter))]
public readonly record struct LaneId(PoolId Pool, int Lane)
{
    public override string ToString() => $"{Pool.Value}-{Lane}";

    /// <exception cref="FormatException">The text is not <c>pool-lane</c>.</exception>
    public static LaneId Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        return dash > 0
            && long.TryParse(text.AsSpan(0, dash), invariant, out var pool)
            && int.TryParse(text.AsSpan(dash + 1), invariant, out var lane)
            ? new LaneId(new PoolId(pool), lane)
            : throw new FormatException($"'{text}' is not a lane: expected POOL-LANE, such as 7-0.");
    }
}

internal sealed class IdConverter<T> : JsonConverter<T> where T : struct, IId<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => T.Of(reader.GetInt64());
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class LaneIdConverter : JsonConverter<LaneId>
{
    public override LaneId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => LaneId.Parse(reader.GetString() ?? "");
    public override void Write(Utf8JsonWriter writer, LaneId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
