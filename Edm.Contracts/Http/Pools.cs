namespace Edm.Contracts.Http;

/// <summary>Services that may send the same mail.</summary>
/// <param name="Lanes">Parts that can run on different nodes and cores; fixed for the life of the pool.</param>
/// <param name="Own">False for a pool that another user shares with you.</param>
/// <param name="Shared">Every user may send through it.</param>
/// <param name="Weights">How its services are chosen: the one with the highest score takes the mail.</param>
public sealed record PoolView(PoolId Id, string Name, int Lanes, bool Own, bool Shared, bool HasEnabledServices, SelectionWeights Weights);

/// <param name="Lanes">1 to 64; one does for a few dozen services.</param>
/// <param name="Shared">Administrators only: every user may send through it.</param>
public sealed record NewPool(string Name, int Lanes = 1, bool Shared = false);

/// <summary>What is left out stays as it is.</summary>
public sealed record PoolChange
{
    public Optional<string> Name { get; init; }

    /// <summary>Administrators only, and for any user's pool.</summary>
    public Optional<bool> Shared { get; init; }

    /// <summary>Takes effect at once, also while it is sending.</summary>
    public Optional<SelectionWeights> Weights { get; init; }
}
