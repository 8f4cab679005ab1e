using System.Text;
using Edm.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Contracts;

/// <summary>
/// What is stored is read for ever. <c>Golden/MANIFEST.json</c> is how the present version writes the first <see cref="Samples"/> value of each stored type,
/// one line and a line feed; <c>Golden/MANIFEST.vN.json</c> is how an older version wrote it.
/// <para>A new stored type: add its sample; the failing test prints the line that its file must hold.</para>
/// <para>
/// A new member (it must have a default): rename the file to <c>MANIFEST.v1.json</c> (or the next number), put what must be read from it into
/// <see cref="Samples.Older"/>, give the member a value in the sample, and write the new file as the failing test prints it. Any other change needs a new manifest.
/// </para>
/// </summary>
public sealed class GoldenFileTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Contracts", "Golden");

    private static readonly IReadOnlyDictionary<string, Type> Stored =
        EdmSerializer.Known.Where(known => known.Manifest.StartsWith("uq.", StringComparison.Ordinal) || known.Manifest.StartsWith("ln.", StringComparison.Ordinal))
            .ToDictionary(known => known.Manifest, known => known.Type);

    /// <summary>What the files of older versions mean, by file name without extension.</summary>
    private static readonly Dictionary<string, IEdmMessage> Older = new(Samples.Older())
    {
        ["uq.task-queued.v1"] = QueuedWithoutEnd with { LaunchedAtMs = null, Cap = null },
        ["uq.task-queued.v2"] = QueuedWithoutEnd with { Cap = null },
        ["uq.task-queued.v3"] = QueuedWithoutEnd,
        ["uq.snapshot.v1"] = WithoutLaunches(WithoutCaps(WithoutRestored(WithoutParked(SnapshotWithoutEnds)))),
        ["uq.snapshot.v2"] = WithoutCaps(WithoutRestored(WithoutParked(SnapshotWithoutEnds))),
        ["uq.snapshot.v3"] = WithoutRestored(WithoutParked(SnapshotWithoutEnds)),
        ["uq.snapshot.v4"] = WithoutParked(SnapshotWithoutEnds),
        ["uq.snapshot.v5"] = SnapshotWithoutEnds,
        ["uq.task-restored.v1"] = WithoutParked(RestoredWithoutEnd),
        ["uq.task-restored.v2"] = RestoredWithoutEnd,
        ["uq.batch-leased.v1"] = WithoutRefusals((BatchLeased)Samples.Of(typeof(BatchLeased))[0]),
        ["ln.committed.v1"] = Samples.CommittedBeforeChoices,
        ["ln.snapshot.v1"] = Samples.SnapshotBeforeStartLogs,
        ["uq.outcomes-recorded.v1"] = Samples.RecordedBeforeChoices,
    };

    private readonly EdmSerializer serializer = SharedSerializer.Instance;

    public static TheoryData<string> Manifests => [.. Stored.Keys];

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void A_stored_type_is_written_as_its_golden_file_says(string manifest)
    {
        var written = Encoding.UTF8.GetString(serializer.ToBinary(Samples.Of(Stored[manifest])[0])) + "\n";
        var file = Path.Combine(Folder, manifest + ".json");

        Assert.True(File.Exists(file), $"{Stored[manifest].Name} is stored and has no golden file. Add Golden/{manifest}.json with this line:\n{written}");
        var golden = File.ReadAllText(file);
        Assert.True(golden == written, $"{Stored[manifest].Name} is not written any more as it was:\n{golden}Read above what to do. Golden/{manifest}.json would be this line:\n{written}");
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void A_golden_file_is_read_as_what_it_meant(string file)
    {
        var isOlder = file.LastIndexOf(".v", StringComparison.Ordinal) is var at and > 0 && int.TryParse(file.AsSpan(at + 2), out _);
        var manifest = isOlder ? file[..file.LastIndexOf('.')] : file;
        Assert.True(Stored.ContainsKey(manifest), $"Golden/{file}.json belongs to no stored type: a manifest was renamed or removed, which old journals don't survive.");
        Assert.True(!isOlder || Older.ContainsKey(file), $"Say in {nameof(Older)} what must be read from Golden/{file}.json.");

        var read = serializer.FromBinary(File.ReadAllBytes(Path.Combine(Folder, file + ".json")), manifest);

        Assert.Equivalent(isOlder ? Older[file] : Samples.Of(Stored[manifest])[0], read, strict: true);
    }

    // Before a task could have a time in which it is sent.
    private static TaskQueued QueuedWithoutEnd => First<TaskQueued>() with { Retry = WithoutEnd(First<TaskQueued>().Retry) };

    private static UserQueueSnapshot SnapshotWithoutEnds => First<UserQueueSnapshot>() with { Tasks = [.. First<UserQueueSnapshot>().Tasks.Select(WithoutEnd)] };

    private static TaskRestored RestoredWithoutEnd => First<TaskRestored>() with { Task = WithoutEnd(First<TaskRestored>().Task) };

    private static T First<T>() => (T)Samples.Of(typeof(T))[0];

    private static TaskSnapshot WithoutEnd(TaskSnapshot full) => full with { Retry = WithoutEnd(full.Retry) };

    private static RetryRules WithoutEnd(RetryRules full) => full with { SendWithinSeconds = null };

    /// <summary>Before queues kept when their tasks were launched.</summary>
    private static UserQueueSnapshot WithoutLaunches(UserQueueSnapshot full) =>
        full with { Archive = null, Tasks = [.. full.Tasks.Select(task => task with { LaunchedAtMs = null })] };

    private static UserQueueSnapshot WithoutRestored(UserQueueSnapshot full) => full with { Tasks = [.. full.Tasks.Select(task => task with { RestoredAtMs = null })] };

    /// <summary>Before first tries were parked, and others sent through another service at once.</summary>
    private static UserQueueSnapshot WithoutParked(UserQueueSnapshot full) => full with
    {
        Tasks = [.. full.Tasks.Select(WithoutParked)],
        Leases = [.. full.Leases.Select(lease => lease with { Retries = WithoutRefusals(lease.Retries) })],
    };

    private static TaskSnapshot WithoutParked(TaskSnapshot full) =>
        full with { Parked = null, Pending = [.. full.Pending.Select(pending => pending with { RefusedBy = null })] };

    private static TaskRestored WithoutParked(TaskRestored full) => full with { Task = WithoutParked(full.Task) };

    private static BatchLeased WithoutRefusals(BatchLeased full) => full with { Retries = WithoutRefusals(full.Retries) };

    private static RetryItem[] WithoutRefusals(RetryItem[] retries) => [.. retries.Select(retry => retry with { RefusedBy = null })];

    private static UserQueueSnapshot WithoutCaps(UserQueueSnapshot full) => full with { Tasks = [.. full.Tasks.Select(task => task with { Cap = null })] };

    [Fact]
    public void Every_event_and_snapshot_counts_as_stored()
    {
        var journaled = EdmSerializer.Known.Select(known => known.Type).Where(type =>
            type.IsAssignableTo(typeof(IUserQueueEvent)) || type.Name.EndsWith("Snapshot", StringComparison.Ordinal) || type == typeof(LaneCommitted));

        Assert.Empty(journaled.Except(Stored.Values));
    }
}
