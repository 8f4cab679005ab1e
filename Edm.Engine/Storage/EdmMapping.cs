using System.Linq.Expressions;
using System.Reflection;
using System.Text;
using Edm.Contracts;
using LinqToDB;
using LinqToDB.Data;
using LinqToDB.Mapping;
using LinqToDB.Metadata;

namespace Edm.Engine.Storage;

/// <summary>How .NET values stand in SQL: ids as bigint, properties as snake_case columns.</summary>
internal static class EdmMapping
{
    public static MappingSchema Schema { get; } = Create();

    private static MappingSchema Create()
    {
        var schema = new MappingSchema("edm");
        schema.AddMetadataReader(new SnakeCaseColumns());
        var register = typeof(EdmMapping).GetMethod(nameof(RegisterId), BindingFlags.NonPublic | BindingFlags.Static)!;
        foreach (var type in typeof(UserId).Assembly.GetTypes().Where(IsId))
        {
            register.MakeGenericMethod(type).Invoke(null, [schema]);
        }

        return schema;
    }

    private static bool IsId(Type type) =>
        type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));

    private static void RegisterId<T>(MappingSchema schema) where T : struct, IId<T>
    {
        schema.AddScalarType(typeof(T), DataType.Int64);
        schema.AddScalarType(typeof(T?), DataType.Int64);
        schema.SetConverter<T, DataParameter>(static id => new DataParameter { Value = id.Value, DataType = DataType.Int64 });
        schema.SetConverter<T?, DataParameter>(static id => new DataParameter { Value = id?.Value, DataType = DataType.Int64 });
        schema.SetConverter<T, long>(static id => id.Value);
        schema.SetConverter<long, T>(static value => T.Of(value));
        schema.SetConverter<long, T?>(static value => T.Of(value));
        // In a query, id.Value is the column itself: what keyset pages compare.
        LinqToDB.Linq.Expressions.MapMember(typeof(T).GetProperty(nameof(IId<T>.Value))!, (Expression<Func<T, long>>)(id => Number(id)));
    }

    [Sql.Expression("{0}", ServerSideOnly = true)]
    private static long Number<T>(T id) => throw new InvalidOperationException($"{id} is for queries only.");

    internal static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        foreach (var character in name)
        {
            if (char.IsUpper(character) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToLowerInvariant(character));
        }

        return text.ToString();
    }

    /// <summary>
    /// Names the columns that have no name of their own. As metadata, which every kind of query sees; a descriptor callback is not called for rows of raw SQL.
    /// </summary>
    private sealed class SnakeCaseColumns : IMetadataReader
    {
        public MappingAttribute[] GetAttributes(Type type) => [];

        public MappingAttribute[] GetAttributes(Type type, MemberInfo memberInfo)
        {
            var attributes = memberInfo.GetCustomAttributes<MappingAttribute>().ToArray();
            var column = attributes.OfType<ColumnAttribute>().FirstOrDefault();
            if (column is null && !attributes.Any(a => a is PrimaryKeyAttribute or IdentityAttribute))
            {
                return [];
            }

            column ??= new ColumnAttribute();
            column.Name ??= SnakeCase(memberInfo.Name);
            return [column];
        }

        public MemberInfo[] GetDynamicColumns(Type type) => [];

        public string GetObjectID() => nameof(SnakeCaseColumns);
    }
}
