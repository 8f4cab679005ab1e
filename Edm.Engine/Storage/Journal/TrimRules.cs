namespace Edm.Engine.Storage.Journal;

/// <summary>Which events of the journal may go, and how fast.</summary>
/// <param name="Batch">Events of one entity in one transaction.</param>
public sealed record TrimRules(int Batch)
{
    /// <summary>
    /// So many events before its snapshot an entity keeps while the snapshot is young: an incarnation that begins elsewhere in this moment may have read the
    /// snapshot before, and replays from there. Four snapshots of a UserQueue, five of a lane.
    /// </summary>
    public int KeptBeforeYoung { get; init; } = 1_000;

    /// <summary>From this age on nobody can still be recovering from an older snapshot: a recovery takes seconds, and is given up after 30.</summary>
    public TimeSpan YoungFor { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A projection that has not read an event of this age lags. It is usually a second behind.</summary>
    public TimeSpan LagsAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two transactions, so that writers of mails always find room: at most ten batches a second.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromMilliseconds(100);
}
