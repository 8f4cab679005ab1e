using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Mapping;

namespace Edm.Engine.Imports;

/// <param name="Mapping">What the user wants of the columns.</param>
public sealed record ImportMapping(string Name, ColumnMappingOverride Mapping, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>How each user wants the columns of files to be read, by name.</summary>
public sealed class ImportMappingStore(EdmDatabase database, TimeProvider time)
{
    public const int MaxName = 100;

    /// <summary>One for each source of lists; the bound keeps a user from filling the table.</summary>
    public const int MaxMappings = 200;

    public Task<IReadOnlyList<ImportMapping>> ListAsync(UserId user, CancellationToken cancellation) =>
        database.RunAsync<IReadOnlyList<ImportMapping>>(
            async connection =>
            {
                var rows = await connection.GetTable<ImportMappingRow>().Where(row => row.UserId == user.Value).OrderBy(row => row.Name).ToListAsync(cancellation);
                return [.. rows.Select(row => row.ToMapping())];
            },
            cancellation);

    /// <returns>Null when the user has none of that name.</returns>
    public Task<ImportMapping?> GetAsync(UserId user, string name, CancellationToken cancellation) =>
        database.RunAsync(
            async connection => (await connection.GetTable<ImportMappingRow>().FirstOrDefaultAsync(row => row.UserId == user.Value && row.Name == name, cancellation))?.ToMapping(),
            cancellation);

    /// <summary>Makes it, or replaces the one of that name.</summary>
    /// <exception cref="FieldException">The name can't be used.</exception>
    /// <exception cref="ConflictException">The user has too many.</exception>
    public async Task<ImportMapping> PutAsync(UserId user, string name, ColumnMappingOverride mapping, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxName || name.Any(char.IsControl))
        {
            throw new FieldException("name", $"A mapping's name is 1 to {MaxName} printable characters.");
        }

        var (json, now) = (mapping.ToJson(), time.GetUtcNow().ToUnixTimeMilliseconds());
        return await database.WriteAsync(
            async connection =>
            {
                var mine = connection.GetTable<ImportMappingRow>().Where(row => row.UserId == user.Value);
                if (await mine.Where(row => row.Name == name).Set(row => row.Mapping, json).Set(row => row.UpdatedAt, now).UpdateAsync(cancellation) == 0)
                {
                    if (await mine.CountAsync(cancellation) >= MaxMappings)
                    {
                        throw new ConflictException($"You have {MaxMappings} mappings. Delete one first.");
                    }

                    await connection.InsertAsync(new ImportMappingRow { UserId = user.Value, Name = name, Mapping = json, CreatedAt = now, UpdatedAt = now }, token: cancellation);
                }

                return (await mine.FirstAsync(row => row.Name == name, cancellation)).ToMapping();
            },
            cancellation);
    }

    /// <returns>False when the user has none of that name.</returns>
    public async Task<bool> DeleteAsync(UserId user, string name, CancellationToken cancellation) =>
        await database.WriteAsync(
            connection => connection.GetTable<ImportMappingRow>().Where(row => row.UserId == user.Value && row.Name == name).DeleteAsync(cancellation), cancellation) > 0;
}

[Table("import_mappings")]
internal sealed class ImportMappingRow
{
    [PrimaryKey(0)] public long UserId { get; init; }
    [PrimaryKey(1)] public required string Name { get; init; }
    [Column] public required string Mapping { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }

    public ImportMapping ToMapping() =>
        new(Name, ColumnMappingOverride.FromJson(Mapping), DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt));
}
