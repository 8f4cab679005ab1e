using Edm.Contracts;
using Edm.Contracts.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Edm.Host.Http;

/// <summary>Describes our own value types as what they are on the wire: an id is a number, and a field of a change is that field.</summary>
internal static class PlainSchemas
{
    public static bool IsPlain(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return IsId(type) || IsOptional(type);
    }

    public static Task DescribeAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        var type = context.JsonTypeInfo.Type;
        var nullable = Nullable.GetUnderlyingType(type) is not null;
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (IsOptional(type))
        {
            type = type.GetGenericArguments()[0];
            nullable = Nullable.GetUnderlyingType(type) is not null;
            Describe(schema, Nullable.GetUnderlyingType(type) ?? type, nullable);
        }
        else if (IsId(type))
        {
            Describe(schema, type, nullable);
        }

        return Task.CompletedTask;
    }

    private static void Describe(OpenApiSchema schema, Type type, bool nullable)
    {
        (schema.Type, schema.Format) = type switch
        {
            _ when IsId(type) => (JsonSchemaType.Integer, "int64"),
            _ when type == typeof(long) => (JsonSchemaType.Integer, "int64"),
            _ when type == typeof(int) => (JsonSchemaType.Integer, "int32"),
            _ when type == typeof(bool) => (JsonSchemaType.Boolean, null),
            _ when type == typeof(string) => (JsonSchemaType.String, null),
            _ when type == typeof(double) => (JsonSchemaType.Number, "double"),

            // A record, whose members stand where the same thing is answered.
            _ when type.IsClass => (JsonSchemaType.Object, null),
            _ => throw new InvalidOperationException($"{type.Name} has no description yet."),
        };
        if (nullable)
        {
            schema.Type |= JsonSchemaType.Null;
        }
    }

    private static bool IsOptional(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Optional<>);

    private static bool IsId(Type type) => type.IsValueType && type.GetInterfaces().Any(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IId<>));
}
