using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>
/// The tasks of a UserQueue that are remembered by nothing but their number and their launch, so that a QueueTask that comes once more, however late, can't mail
/// everybody again. What was launched first is forgotten first, and then the time itself says what must not begin: a QueueTask carries the moment of its launch,
/// which never changes, so one of a forgotten task is always from before.
/// </summary>
public sealed class TaskArchive
{
    private readonly Dictionary<long, long> launchedAtMs = [];

    /// <summary>Archived by a version that did not keep when they were launched. None is added; all go when everything from before that day is forgotten.</summary>
    private readonly HashSet<long> undated = [];

    private long? undatedUpToMs;

    /// <summary>Of tasks launched until then something may have been forgotten; null: nothing was.</summary>
    public long? ForgottenUpToMs { get; private set; }

    public int Count => launchedAtMs.Count + undated.Count;

    /// <summary>Ascending.</summary>
    public TaskId[] Undated => [.. undated.Order().Select(task => new TaskId(task))];

    public bool Contains(TaskId task) => launchedAtMs.ContainsKey(task.Value) || undated.Contains(task.Value);

    /// <summary>Can't tell a task that is launched at this moment from one that is forgotten.</summary>
    public bool MayHaveForgotten(long launchMs) => launchMs <= ForgottenUpToMs;

    /// <summary>Up to which launch must be forgotten so that at most <paramref name="max"/> tasks are left; null when no more are there.</summary>
    public long? Surplus(int max) => launchedAtMs.Count > max ? launchedAtMs.Values.Order().ElementAt(launchedAtMs.Count - max - 1) : null;

    /// <summary>It is in the archive, or was, as far as anybody can tell.</summary>
    public bool MayHave(TaskId task, long launchMs) => Contains(task) || MayHaveForgotten(launchMs);

    internal void Add(TaskId task, long launchMs) => launchedAtMs.Add(task.Value, launchMs);

    internal void Remove(TaskId task)
    {
        launchedAtMs.Remove(task.Value);
        undated.Remove(task.Value);
    }

    internal void Forget(long upToMs)
    {
        ForgottenUpToMs = Math.Max(upToMs, ForgottenUpToMs ?? upToMs);
        foreach (var (task, _) in launchedAtMs.Where(t => t.Value <= upToMs).ToArray())
        {
            launchedAtMs.Remove(task);
        }

        if (undatedUpToMs <= upToMs)
        {
            undated.Clear();
            undatedUpToMs = null;
        }
    }

    /// <summary>A new incarnation begins: what is archived already was launched before.</summary>
    internal void Open(long nowMs)
    {
        if (undated.Count > 0)
        {
            undatedUpToMs ??= nowMs;
        }
    }

    internal ArchiveSnapshot ToSnapshot() => new(
        [.. launchedAtMs.OrderBy(t => (t.Value, t.Key)).Select(t => new ArchivedTask(new TaskId(t.Key), t.Value))], ForgottenUpToMs, undatedUpToMs);

    internal static TaskArchive From(UserQueueSnapshot snapshot)
    {
        var archive = new TaskArchive { ForgottenUpToMs = snapshot.Archive?.ForgottenUpToMs, undatedUpToMs = snapshot.Archive?.UndatedUpToMs };
        archive.undated.UnionWith(snapshot.Archived.Select(task => task.Value));
        foreach (var task in snapshot.Archive?.Tasks ?? [])
        {
            archive.Add(task.Task, task.LaunchedAtMs);
        }

        return archive;
    }
}
