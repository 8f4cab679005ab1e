using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Event;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Settings;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>How long changes of tags can be undone and looked up.</summary>
/// <param name="UndoFor">The age from which on an operation forgets which contacts it changed.</param>
/// <param name="UndoOperations">Of one user only so many, the newest, remember it.</param>
/// <param name="KeepOperations">Of one user only so many, the newest, stay in the list at all.</param>
public sealed record TagHistoryRules(TimeSpan UndoFor, int UndoOperations, int KeepOperations)
{
    public static readonly TagHistoryRules Default = new(TimeSpan.FromDays(90), 5_000, 100_000);
}

/// <summary>Takes what is too old out of the history of tags, the oldest first and in small transactions.</summary>
public sealed class TagPruneStore(EdmDatabase database, TimeProvider time)
{
    /// <summary>Operations of one transaction, which holds the lock of the user's tags: the deltas of most are a few rows.</summary>
    private const int Batch = 50;

    /// <returns>How many operations forgot their contacts, and how many went.</returns>
    public async Task<(int Pruned, int Deleted)> RunAsync(TagHistoryRules rules, CancellationToken cancellation)
    {
        var users = new List<UserId>();
        await database.RunAsync(
            connection => new SqlBatch(connection).Read("SELECT user_id FROM contact_books ORDER BY user_id", row => users.Add(new UserId(row.GetInt64(0)))).ExecuteAsync(cancellation), cancellation);
        var (pruned, deleted) = (0, 0);
        foreach (var user in users)
        {
            int more;
            do
            {
                more = await PruneAsync(user, rules, cancellation);
                pruned += more;
            }
            while (more == Batch);
            do
            {
                more = await DeleteAsync(user, rules, cancellation);
                deleted += more;
            }
            while (more == Batch);
        }

        return (pruned, deleted);
    }

    private async Task<int> PruneAsync(UserId user, TagHistoryRules rules, CancellationToken cancellation)
    {
        // The look comes first and without the lock: most users have nothing to give.
        var now = time.GetUtcNow();
        var ids = await database.RunAsync(
            async connection =>
            {
                var oldest = new List<long>();
                await new SqlBatch(connection).Read(
                    """
                    SELECT id FROM tag_operations
                    WHERE user_id = @user AND pruned_at IS NULL AND (at < @oldest OR id <= coalesce(
                      (SELECT id FROM tag_operations WHERE user_id = @user ORDER BY id DESC LIMIT 1 OFFSET @newest), 0))
                    ORDER BY id LIMIT @batch
                    """,
                    row => oldest.Add(row.GetInt64(0)),
                    ("@user", user.Value), ("@oldest", (now - rules.UndoFor).ToUnixTimeMilliseconds()), ("@newest", rules.UndoOperations), ("@batch", Batch)).ExecuteAsync(cancellation);
                return oldest.ToArray();
            },
            cancellation);
        return ids.Length == 0 ? 0 : await database.WriteAsync(
            async connection =>
            {
                await ContactBook.OpenAsync(connection, user, cancellation);
                var batch = new SqlBatch(connection);
                await batch
                    .Add($"UPDATE tag_operations SET pruned_at = @now WHERE id {batch.In("@ids")}", ("@now", now.ToUnixTimeMilliseconds()), ("@ids", ids))
                    .Add($"DELETE FROM tag_deltas WHERE operation_id {batch.In("@ids")}", ("@ids", ids))
                    // A deleted tag goes for good with the last operation that could bring it back.
                    .Add(
                        $"""
                        DELETE FROM tags WHERE user_id = @user AND deleted_at IS NOT NULL
                          AND id IN (SELECT tag_id FROM tag_changes WHERE operation_id {batch.In("@ids")})
                          AND NOT EXISTS (SELECT 1 FROM tag_changes c JOIN tag_operations o ON o.id = c.operation_id WHERE c.tag_id = tags.id AND o.pruned_at IS NULL)
                        """,
                        ("@user", user.Value), ("@ids", ids))
                    .ExecuteAsync(cancellation);
                return ids.Length;
            },
            cancellation);
    }

    private Task<int> DeleteAsync(UserId user, TagHistoryRules rules, CancellationToken cancellation) => database.WriteAsync(
        async connection =>
        {
            var ids = new List<long>();
            await new SqlBatch(connection).Read(
                """
                SELECT id FROM tag_operations WHERE user_id = @user AND pruned_at IS NOT NULL AND id <= coalesce(
                  (SELECT id FROM tag_operations WHERE user_id = @user ORDER BY id DESC LIMIT 1 OFFSET @newest), 0)
                ORDER BY id LIMIT @batch
                """,
                row => ids.Add(row.GetInt64(0)), ("@user", user.Value), ("@newest", rules.KeepOperations), ("@batch", Batch)).ExecuteAsync(cancellation);
            if (ids.Count > 0)
            {
                var batch = new SqlBatch(connection);
                await batch.Add($"DELETE FROM tag_operations WHERE id {batch.In("@ids")}", ("@ids", ids.ToArray())).ExecuteAsync(cancellation);
            }

            return ids.Count;
        },
        cancellation);
}

/// <summary>Prunes the history of tags from time to time: one in the cluster. A round that fails is made good by the next one.</summary>
internal sealed class TagPruning : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly CancellationTokenSource stopping = new();

    public TagPruning(TagPruneStore store, TagHistoryRules rules)
    {
        Receive<Begin>(_ => store.RunAsync(rules, stopping.Token).PipeTo(Self, success: gone => new Ended(gone.Pruned, gone.Deleted)));
        Receive<Ended>(ended =>
        {
            if (ended.Pruned + ended.Deleted > 0)
            {
                log.Info("{Pruned} changes of tags can't be undone any more, and {Deleted} have gone from the list", ended.Pruned, ended.Deleted);
            }

            Wait();
        });
        Receive<Status.Failure>(failed =>
        {
            if (!stopping.IsCancellationRequested)
            {
                log.Warning("The history of tags was not pruned ({Reason}); it will be in {Every}", failed.Cause.Message, Every);
                Wait();
            }
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Wait();

    protected override void PostStop() => stopping.Cancel();

    // After a round has ended, so that there is never a second one beside it.
    private void Wait() => Timers.StartSingleTimer(Begin.Instance, Begin.Instance, Every);

    private sealed class Begin : INoSerializationVerificationNeeded
    {
        public static readonly Begin Instance = new();
    }

    private sealed record Ended(int Pruned, int Deleted) : INoSerializationVerificationNeeded;
}

/// <summary>The key of the pruning's singleton.</summary>
public sealed class TagPruningKey;

public static class TagPruningHosting
{
    public static AkkaConfigurationBuilder AddTagPruning(this AkkaConfigurationBuilder builder, TagPruneStore store, TagHistoryRules rules) =>
        builder.WithSingleton<TagPruningKey>("tag-pruning", ActorProps.Of(() => new TagPruning(store, rules)), createProxyToo: false);
}
