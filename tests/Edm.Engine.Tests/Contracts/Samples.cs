using Edm.Contracts;

namespace Edm.Engine.Tests.Contracts;

/// <summary>
/// Values of every type that <see cref="EdmSerializer"/> knows. The first of each is full, no member at its default, and is what the golden file of a
/// stored type holds; those after it are odd.
/// </summary>
internal static class Samples
{
    private static readonly UserId User = new(42);
    private static readonly TaskId Task = new(7001);
    private static readonly PoolId Pool = new(9);
    private static readonly LaneId Lane = new(Pool, 3);
    private static readonly LeaseNr Lease = new(15);
    private static readonly ServiceId Service = new(88);
    private static readonly RetryRules Rules = new(8, 60, 14_400, 259_200, 604_800);
    private static readonly Segment[] Segments = [new(new SeqRange(1, 600), 2, 1_767_326_400_000), new(new SeqRange(601, 601))];
    private static readonly SeqRange[] Runs = [new(3, 7), new(9, 9)];
    private static readonly RetryItem[] Retries = [new(12, 2, At - 60_000, [Service]), new(400, 7, At - 86_400_000)];
    private const long At = 1_767_323_045_678;
    private const long Process = 9_007_199_254_740_991;
    private const long Epoch = 4_503_599_627_370_497;

    /// <summary>Characters that JSON must escape, others that only old readers trip over, and half a surrogate pair, which is not text at all.</summary>
    private const string HostileText = "quote \" backslash \\ control \u0001 line\u2028 <b>&amp;</b> emoji 🌷 null \0";

    private static readonly Outcome Full = new(Task, Lease, 12, 2, OutcomeKind.Deferred, At, Service, 451, "4.7.1", "4.7.1 greylisted, come back <address>", "try later",
        new Choice(871, new ServiceId(89), 640), At + 3_600_000, ReplyClass.Greylisted, 300, true, 2, true, At + 1);
    private static readonly Outcome Bare = new(Task, Lease, 13, 1, OutcomeKind.Sent, At);
    private static readonly StartedMail Started = new(User, Task, Lease, 12, 2, Service, 3);

    private static readonly TaskSnapshot Whole = new(
        Task, Pool, 4, 10, Segments, Rules, UnknownPolicy.Resend, TaskPhase.Paused, [0, 1, 3, 598, 2, 1, 4, 1], [new PendingSnapshot(600, 3, At + 1, At - 3, [Service])],
        2_520_000, At, At + 5, At - 1, 500, At + 6, [new ParkedSnapshot(2, [2], [new ClosedLane(3, At + 9)])]);

    // Before first tries were parked, and others sent through another service at once.
    private static readonly Outcome FullV3 = Full with { Provider = null, Unwanted = null, ElsewhereMs = null };

    // Before replies were classified.
    private static readonly Outcome FullV2 = FullV3 with { Class = null, RetryAfterSeconds = null, Suppress = null };

    // Before it was said why a service was chosen, for which provider a start was, and when the next try is of use.
    private static readonly Outcome FullV1 = FullV2 with { Choice = null, NotBeforeMs = null };
    private static readonly StartedMail StartedV1 = Started with { Provider = 0 };

    public static IEdmMessage CommittedBeforeChoices => new LaneCommitted(
        31, At, Process, [StartedV1], [new EndedMail(User, FullV1), new EndedMail(User, Bare)], [new WithdrawnMail(User, Lease, 14)], [new AckedOutcomes(User, 30)]);

    public static IEdmMessage SnapshotBeforeStartLogs => new LaneSnapshot(
        31, [new OpenMailSnapshot(StartedV1, Process, At - 7)], [new UnackedSnapshot(User, 30, FullV1)], [new StartCounter(Service, 490_923, 17, 20_455, 171)]);

    public static IEdmMessage RecordedBeforeChoices => new OutcomesRecorded(
        Lane, 31, [new RecordedOutcome(FullV1, RecipientState.PendingRetry, At + 60_000), new RecordedOutcome(Bare, RecipientState.Sent, null)], At);

    private static readonly Dictionary<Type, IEdmMessage[]> ByType = Enumerable.ToDictionary<IGrouping<Type, IEdmMessage>, Type, IEdmMessage[]>(
        All().GroupBy(sample => sample.GetType()), group => group.Key, group => [.. group]);

    public static IReadOnlyCollection<Type> Types => ByType.Keys;

    public static IReadOnlyList<IEdmMessage> Of(Type type) => ByType.GetValueOrDefault(type) ?? [];

    /// <summary>What the golden files of older versions mean, by file name without extension.</summary>
    public static Dictionary<string, IEdmMessage> Older()
    {
        var committed = (LaneCommitted)Of(typeof(LaneCommitted))[0];
        var snapshot = (LaneSnapshot)Of(typeof(LaneSnapshot))[0];
        var recorded = (OutcomesRecorded)Of(typeof(OutcomesRecorded))[0];
        return new()
        {
            ["ln.committed.v3"] = committed with { Ended = [new EndedMail(User, FullV3), committed.Ended[1]] },
            ["ln.committed.v2"] = committed with { Ended = [new EndedMail(User, FullV2), committed.Ended[1]] },
            ["ln.snapshot.v2"] = WithoutSeconds(snapshot) with { Unacked = [new UnackedSnapshot(User, 30, FullV2)] },
            ["ln.snapshot.v3"] = WithoutSeconds(snapshot) with { Unacked = [new UnackedSnapshot(User, 30, FullV3)] },
            ["uq.outcomes-recorded.v4"] = recorded with { Finished = null },
            ["uq.outcomes-recorded.v3"] = recorded with { Items = [recorded.Items[0] with { Outcome = FullV3 }, recorded.Items[1]], Finished = null },
            ["uq.outcomes-recorded.v2"] = recorded with { Items = [recorded.Items[0] with { Outcome = FullV2 }, recorded.Items[1]], Finished = null },
        };
    }

    private static LaneSnapshot WithoutSeconds(LaneSnapshot full) => full with { StartLogs = [.. full.StartLogs!.Select(log => log with { Seconds = null })], Latest = null };

    private static IEnumerable<IEdmMessage> All() => [.. StoredByQueues(), .. StoredByLanes(), .. Commands(), .. Protocol()];

    private static IEnumerable<IEdmMessage> StoredByQueues() =>
    [
        new QueueOpened(Process, At),
        new TaskQueued(Task, Pool, 4, 10, Segments, Rules, UnknownPolicy.Resend, At, At - 1, 500),
        new TaskQueued(Task, Pool, 1, 1, [], RetryRules.Default, UnknownPolicy.Hold, At),
        new TaskPaused(Task, At),
        new TaskResumed(Task, At),
        new TaskCancelled(Task, At),
        new TaskFinished(Task, [0, 0, 0, 590, 6, 2, 1, 2], At),
        new TaskArchived(Task, At),
        new TaskWanted(Task, 1_234, At),
        new TaskRestored(Whole, At),
        new ArchiveForgotten(At - 86_400_000, At),
        new FailedRetried(Task, Runs, At),
        new RecipientsExpired(Task, Runs, At),
        new PriorityChanged(Task, 10, At),
        new CapChanged(Task, At, 5_000),
        new CapChanged(Task, At),
        new UnknownPolicyChanged(Task, UnknownPolicy.Resend, At),
        new RetryRulesChanged(Task, Rules, At),
        new RetryRulesChanged(Task, RetryRules.Default, At),
        new MissedReopened(Task, Runs, [new SeqRange(10, 12)], At),
        new UnknownResolved(Task, UnknownVerdict.Resend, Runs, "key 7", At, "the relay's log has nothing"),
        new UnknownResolved(Task, UnknownVerdict.Sent, Runs, "evidence", At),
        new BatchLeased(Lease, Lane, Epoch, 77, Task, Runs, Retries, At),
        new BatchLeased(Lease, Lane, 0, 1, Task, [], [], At),
        new LeaseReturned(Lease, Runs, At),
        new OutcomesRecorded(
            Lane, 31,
            [new RecordedOutcome(Full, RecipientState.PendingRetry, At + 60_000), new RecordedOutcome(Bare, RecipientState.Sent, null)], At,
            [new TaskFinished(Task, [0, 0, 0, 590, 6, 2, 1, 2], At)]),
        new OutcomesRecorded(
            Lane, 32, [.. Enum.GetValues<RecipientState>().Select(state => new RecordedOutcome(Bare with { Reply = HostileText }, state, null))], At),
        new UserQueueSnapshot(
            16,
            [
                Whole,
            ],
            [new LeaseSnapshot(Lease, Lane, Epoch, 77, Task, Runs, Retries, At)],
            [new PullSnapshot(Lane, Epoch, 77, Lease, 1_260_000)],
            [new TaskId(3), new TaskId(1L << 40)],
            new ArchiveSnapshot([new ArchivedTask(new TaskId(6990), At - 86_400_000)], At - (2 * 86_400_000), At - 3)),
        new UserQueueSnapshot(1, [], [], [], []),
        new UserQueueSnapshot(1, [], [], [], [], new ArchiveSnapshot([])),
    ];

    private static IEnumerable<IEdmMessage> StoredByLanes() =>
    [
        new LaneCommitted(31, At, Process, [Started], [new EndedMail(User, Full), new EndedMail(User, Bare)], [new WithdrawnMail(User, Lease, 14)], [new AckedOutcomes(User, 30)]),
        new LaneCommitted(1, At, Process, [], [], [], []),
        new LaneCommitted(2, At, Process, [], [.. Enum.GetValues<OutcomeKind>().Select(kind => new EndedMail(User, Full with { Kind = kind }))], [], []),
        new LaneSnapshot(31, [new OpenMailSnapshot(Started, Process, At - 7)], [new UnackedSnapshot(User, 30, Full)], [new StartCounter(Service, 490_923, 17, 20_455, 171)],
            [new StartLogSnapshot(Service, 29_455_384, [new StartCount(29_455_384, 2, 17)], [new StartCount(1_963_692, 2, 17), new StartCount(1_963_691, 1, 154)],
                [new StartCount(1_767_323_045, 4, 6)])],
            [new ServiceStarts(Service, 5)]),
        new LaneSnapshot(0, [], [], []),
    ];

    private static IEnumerable<IEdmMessage> Commands() =>
    [
        new QueueTask(User, Task, Pool, 4, 10, Segments, Rules, UnknownPolicy.Resend, At - 1, 500),
        new PauseTask(User, Task),
        new ResumeTask(User, Task),
        new CancelTask(User, Task),
        new RetryFailed(User, Task),
        new ChangeTask(User, Task, 10, new TaskCap(500), UnknownPolicy.Resend, Rules),
        new ChangeTask(User, Task, null, new TaskCap()),
        new ChangeTask(User, Task),
        new SendToMissed(User, Task, true, true),
        new SendToMissed(User, Task, false, true),
        new ResolveUnknown(User, Task, UnknownVerdict.Failed, "key 7", Runs, HostileText),
        new ResolveUnknown(User, Task, UnknownVerdict.Sent, "evidence"),
        new GetTask(User, Task),
        new ListRecipients(User, Task, RecipientState.Failed, 100, 50),
        new ListRecipients(User, Task, null, 0, 1000),
        new Accepted(601),
        new Refused(RefusalCode.WrongState, HostileText),
        new TaskLedger(Task, Pool, TaskPhase.Finished, 601, [0, 0, 0, 590, 6, 2, 1, 2], 12.75, At, At + 9, At + 10, 10, 500, new TaskOutlook(true, true, At + 11, At + 12), UnknownPolicy.Resend, Rules),
        new TaskLedger(Task, Pool, TaskPhase.Running, 0, [0, 0, 0, 0, 0, 0, 0, 0], 0, At, null, null),
        new RecipientList(Task, [new RecipientEntry(12, RecipientState.PendingRetry, 2, At), new RecipientEntry(13, RecipientState.Sent, 0, null)], 13),
        new RecipientList(Task, [], null),
    ];

    private static IEnumerable<IEdmMessage> Protocol() =>
    [
        new Ready(Lane, User),
        new Pull(User, Lane, Epoch, 77, 64),
        new Batch(User, Lane, Epoch, 77, Lease, Task, Runs, Retries, true),
        new Batch(User, Lane, Epoch, 77, null, default, [], [], false),
        new Outcomes(User, Lane, 31, [Full, Bare]),
        new OutcomesAcked(Lane, User, 31),
        new Returned(User, Lane, Lease, Runs),
        new QueryLeases(Lane, User, [new LeaseQuestion(Lease, Epoch, 77)]),
        new LeasesNotHeld(User, Lane, [Lease, new LeaseNr(long.MaxValue)]),
        new RecallTask(Lane, User, Task, Lease),
        new ServicesChanged(Lane),
        new GetLane(Lane, Service),
        new GetLane(Lane),
        new LaneReport(Lane, 1, 2, 3, 4, true, [new ServiceReport(Service, 4, 3, 2, At, "quota used up", 0.875, [new ServiceReason("day-used-up", "quota used up", At)], 0.7, 600, 9)]),
        new LaneReport(Lane, 0, 0, 0, 0, false, [new ServiceReport(Service, 4, 0, 0, null, null, 1)]),
    ];
}
