using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Akka.Actor;
using Akka.Serialization;

namespace Edm.Contracts;

/// <summary>
/// The one serializer of everything that is stored or crosses a process: UTF-8 JSON behind a short, stable manifest.
/// JSON, because a journal must be readable in ten years and with a plain database client; the events are aggregates, so its cost a mail is small.
/// A manifest is never renamed or used again. Members may be added with a default; another shape needs another manifest. A member without a default that is
/// missing is refused here, by name, and not met later as a zero or a null.
/// </summary>
public sealed class EdmSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    /// <summary>Free among Akka's own ids; <c>EdmSerializerTests</c> checks that.</summary>
    public const int SerializerId = 7025;

    private static readonly (string Manifest, JsonTypeInfo Type)[] Types =
    [
        // Stored: events of UserQueues
        ("uq.opened", StoredJson.Default.QueueOpened),
        ("uq.task-queued", StoredJson.Default.TaskQueued),
        ("uq.task-paused", StoredJson.Default.TaskPaused),
        ("uq.task-resumed", StoredJson.Default.TaskResumed),
        ("uq.task-cancelled", StoredJson.Default.TaskCancelled),
        ("uq.task-finished", StoredJson.Default.TaskFinished),
        ("uq.task-archived", StoredJson.Default.TaskArchived),
        ("uq.task-wanted", StoredJson.Default.TaskWanted),
        ("uq.task-restored", StoredJson.Default.TaskRestored),
        ("uq.archive-forgotten", StoredJson.Default.ArchiveForgotten),
        ("uq.failed-retried", StoredJson.Default.FailedRetried),
        ("uq.priority-changed", StoredJson.Default.PriorityChanged),
        ("uq.cap-changed", StoredJson.Default.CapChanged),
        ("uq.unknown-policy-changed", StoredJson.Default.UnknownPolicyChanged),
        ("uq.retry-rules-changed", StoredJson.Default.RetryRulesChanged),
        ("uq.missed-reopened", StoredJson.Default.MissedReopened),
        ("uq.unknown-resolved", StoredJson.Default.UnknownResolved),
        ("uq.recipients-expired", StoredJson.Default.RecipientsExpired),
        ("uq.batch-leased", StoredJson.Default.BatchLeased),
        ("uq.lease-returned", StoredJson.Default.LeaseReturned),
        ("uq.outcomes-recorded", StoredJson.Default.OutcomesRecorded),
        // Stored: events of lanes
        ("ln.committed", StoredJson.Default.LaneCommitted),
        // Stored: snapshots
        ("uq.snapshot", StoredJson.Default.UserQueueSnapshot),
        ("ln.snapshot", StoredJson.Default.LaneSnapshot),
        // Sent: commands and answers
        ("c.queue-task", StoredJson.Default.QueueTask),
        ("c.pause-task", StoredJson.Default.PauseTask),
        ("c.resume-task", StoredJson.Default.ResumeTask),
        ("c.cancel-task", StoredJson.Default.CancelTask),
        ("c.retry-failed", StoredJson.Default.RetryFailed),
        ("c.change-task", StoredJson.Default.ChangeTask),
        ("c.send-to-missed", StoredJson.Default.SendToMissed),
        ("c.resolve-unknown", StoredJson.Default.ResolveUnknown),
        ("c.get-task", StoredJson.Default.GetTask),
        ("c.list-recipients", StoredJson.Default.ListRecipients),
        ("a.accepted", StoredJson.Default.Accepted),
        ("a.refused", StoredJson.Default.Refused),
        ("a.task-ledger", StoredJson.Default.TaskLedger),
        ("a.recipient-list", StoredJson.Default.RecipientList),
        // Sent: between queues and lanes
        ("p.ready", StoredJson.Default.Ready),
        ("p.pull", StoredJson.Default.Pull),
        ("p.batch", StoredJson.Default.Batch),
        ("p.outcomes", StoredJson.Default.Outcomes),
        ("p.outcomes-acked", StoredJson.Default.OutcomesAcked),
        ("p.returned", StoredJson.Default.Returned),
        ("p.query-leases", StoredJson.Default.QueryLeases),
        ("p.leases-not-held", StoredJson.Default.LeasesNotHeld),
        ("p.recall-task", StoredJson.Default.RecallTask),
        ("p.services-changed", StoredJson.Default.ServicesChanged),
        ("p.get-lane", StoredJson.Default.GetLane),
        ("a.lane-report", StoredJson.Default.LaneReport),
    ];

    private static readonly FrozenDictionary<string, JsonTypeInfo> ByManifest = Types.ToFrozenDictionary(t => t.Manifest, t => t.Type);
    private static readonly FrozenDictionary<Type, (string Manifest, JsonTypeInfo Type)> ByType = Types.ToFrozenDictionary(t => t.Type.Type);

    /// <summary>Every type that this serializer knows, for the tests that walk them.</summary>
    public static IEnumerable<(string Manifest, Type Type)> Known => Types.Select(t => (t.Manifest, t.Type.Type));

    public override int Identifier => SerializerId;

    public override string Manifest(object o) => Find(o.GetType()).Manifest;

    public override byte[] ToBinary(object obj) => JsonSerializer.SerializeToUtf8Bytes(obj, Find(obj.GetType()).Type);

    public override object FromBinary(byte[] bytes, string manifest)
    {
        if (!ByManifest.TryGetValue(manifest, out var type))
        {
            throw new ArgumentException($"Nothing is known by the manifest '{manifest}': it was written by a newer version of EDM, or not by EDM.", nameof(manifest));
        }

        return JsonSerializer.Deserialize(bytes, type) ?? throw new ArgumentException($"'{manifest}' was stored as null.", nameof(bytes));
    }

    private static (string Manifest, JsonTypeInfo Type) Find(Type type) =>
        ByType.TryGetValue(type, out var known) ? known : throw new ArgumentException($"{type} has no manifest: add it to {nameof(EdmSerializer)}.", nameof(type));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    UseStringEnumConverter = false)]
[JsonSerializable(typeof(QueueOpened))]
[JsonSerializable(typeof(TaskQueued))]
[JsonSerializable(typeof(TaskPaused))]
[JsonSerializable(typeof(TaskResumed))]
[JsonSerializable(typeof(TaskCancelled))]
[JsonSerializable(typeof(TaskFinished))]
[JsonSerializable(typeof(TaskArchived))]
[JsonSerializable(typeof(TaskWanted))]
[JsonSerializable(typeof(TaskRestored))]
[JsonSerializable(typeof(ArchiveForgotten))]
[JsonSerializable(typeof(FailedRetried))]
[JsonSerializable(typeof(PriorityChanged))]
[JsonSerializable(typeof(CapChanged))]
[JsonSerializable(typeof(UnknownPolicyChanged))]
[JsonSerializable(typeof(RetryRulesChanged))]
[JsonSerializable(typeof(MissedReopened))]
[JsonSerializable(typeof(UnknownResolved))]
[JsonSerializable(typeof(RecipientsExpired))]
[JsonSerializable(typeof(BatchLeased))]
[JsonSerializable(typeof(LeaseReturned))]
[JsonSerializable(typeof(OutcomesRecorded))]
[JsonSerializable(typeof(LaneCommitted))]
[JsonSerializable(typeof(UserQueueSnapshot))]
[JsonSerializable(typeof(LaneSnapshot))]
[JsonSerializable(typeof(QueueTask))]
[JsonSerializable(typeof(PauseTask))]
[JsonSerializable(typeof(ResumeTask))]
[JsonSerializable(typeof(CancelTask))]
[JsonSerializable(typeof(RetryFailed))]
[JsonSerializable(typeof(ChangeTask))]
[JsonSerializable(typeof(SendToMissed))]
[JsonSerializable(typeof(ResolveUnknown))]
[JsonSerializable(typeof(GetTask))]
[JsonSerializable(typeof(ListRecipients))]
[JsonSerializable(typeof(Accepted))]
[JsonSerializable(typeof(Refused))]
[JsonSerializable(typeof(TaskLedger))]
[JsonSerializable(typeof(RecipientList))]
[JsonSerializable(typeof(Ready))]
[JsonSerializable(typeof(Pull))]
[JsonSerializable(typeof(Batch))]
[JsonSerializable(typeof(Outcomes))]
[JsonSerializable(typeof(OutcomesAcked))]
[JsonSerializable(typeof(Returned))]
[JsonSerializable(typeof(QueryLeases))]
[JsonSerializable(typeof(LeasesNotHeld))]
[JsonSerializable(typeof(RecallTask))]
[JsonSerializable(typeof(ServicesChanged))]
[JsonSerializable(typeof(GetLane))]
[JsonSerializable(typeof(LaneReport))]
internal sealed partial class StoredJson : JsonSerializerContext;
