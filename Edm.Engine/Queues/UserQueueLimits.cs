namespace Edm.Engine.Queues;

/// <summary>The bounds of one UserQueue.</summary>
/// <param name="MaxPending">Retries in memory, about 150 bytes each; past it the queue leases retries only, so that it drains before it grows.</param>
/// <param name="MaxFinishedTasks">Finished tasks that can still be asked and retried here; older ones are archived and known to SQL only.</param>
/// <param name="MaxBatch">Recipients in one lease, whatever a lane asks for.</param>
public sealed record UserQueueLimits(int MaxPending = 20_000, int MaxFinishedTasks = 500, int MaxBatch = 500)
{
    public static readonly UserQueueLimits Default = new();
}
