using System.Text.Json;
using Edm.Contracts;
using Edm.Contracts.Http;
using LinqToDB.Mapping;

namespace Edm.Engine.Services;

/// <summary>Services that may serve the same mail, cut into lanes. Lanes are fixed for the life of the pool.</summary>
/// <param name="Shared">Other users may send through it; an administrator decides that.</param>
public sealed record Pool(PoolId Id, UserId User, string Name, int Lanes, bool Shared, DateTimeOffset CreatedAt);

/// <summary>All that a user sees of a pool it may send through, its own or a shared one.</summary>
public sealed record UsablePool(PoolId Id, string Name, bool Own, bool Shared, int Lanes, bool HasEnabledServices, SelectionWeights Weights);

/// <summary>What a user gives to make a pool.</summary>
/// <param name="Lanes">1 to 64. More lanes spread over more nodes and cores; one does for a few dozen services.</param>
public sealed record PoolDraft(string Name, int Lanes = 1);

[Table("pools")]
internal sealed class PoolRow
{
    // Plain numbers, because pages compare them.
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public required string Name { get; init; }
    [Column] public bool Shared { get; init; }
    [Column] public int Lanes { get; init; }
    [Column] public string? Weights { get; init; }
    [Column] public long CreatedAt { get; init; }

    public static SelectionWeights Read(string? weights) =>
        weights is null ? new SelectionWeights() : JsonSerializer.Deserialize<SelectionWeights>(weights, JsonSerializerOptions.Web) ?? new SelectionWeights();

    public static string Write(SelectionWeights weights) => JsonSerializer.Serialize(weights, JsonSerializerOptions.Web);

    public Pool ToPool() => new(new PoolId(Id), new UserId(UserId), Name, Lanes, Shared, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt));
}
