namespace Edm.Engine.Queues;

/// <summary>The bounds of one UserQueue.</summary>
/// <param name="MaxPending">Retries in memory, about 220 bytes each; past it the queue leases retries only, so that it drains before it grows.</param>
/// <param name="MaxFinishedTasks">Finished tasks that can still be asked and retried here; older ones are archived, known to SQL only, and brought back by a command.</param>
/// <param name="MaxBatch">Recipients in one lease, whatever a lane asks for.</param>
/// <param name="MaxArchivedTasks">
/// Archived tasks whose number is remembered, about 100 bytes each. A launch may reach the queue as late as this many later tasks of its user take to end; then it is refused.
/// </param>
public sealed record UserQueueLimits(int MaxPending = 20_000, int MaxFinishedTasks = 500, int MaxBatch = 500, int MaxArchivedTasks = 1_000)
{
    public static readonly UserQueueLimits Default = new();
}
