using Edm.Contracts;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>
/// What a lane must know after a crash, without clock, actor or I/O: the mails in doubt, the outcomes that no UserQueue has confirmed, and how many
/// mails each service has started. Only <see cref="Apply"/> changes it, so a replayed state is the live state.
/// </summary>
public sealed class LaneState
{
    private readonly Dictionary<MailKey, OpenMailSnapshot> open = [];

    /// <summary>By user, in the order of the commits.</summary>
    private readonly SortedDictionary<long, List<UnackedSnapshot>> unacked = [];

    // By service, looked up for each mail. Ordered only in a snapshot: walking down a tree of a thousand cost two thirds of what choosing among them does.
    private readonly Dictionary<long, StartLog> starts = [];

    /// <summary>By service: mails that the last commit started.</summary>
    private readonly Dictionary<long, int> latest = [];

    public long CommitNr { get; private set; }

    public int UnackedCount { get; private set; }

    /// <summary>Started, and no outcome is journaled: in doubt if the process dies now. At most one an open connection.</summary>
    public IReadOnlyDictionary<MailKey, OpenMailSnapshot> Open => open;

    public IEnumerable<UserId> UsersWithUnacked => unacked.Keys.Select(u => new UserId(u));

    /// <summary>Outcomes that the user's queue has not confirmed, from commit <paramref name="after"/> (excluded) on, whole commits, until there are <paramref name="about"/>.</summary>
    public (IReadOnlyList<Outcome> Outcomes, long UpToCommit) Unacked(UserId user, long after, int about)
    {
        var outcomes = new List<Outcome>();
        var upTo = after;
        foreach (var entry in unacked.GetValueOrDefault(user.Value) ?? [])
        {
            if (entry.Commit <= after)
            {
                continue;
            }

            if (entry.Commit > upTo && outcomes.Count >= about)
            {
                break;
            }

            upTo = entry.Commit;
            outcomes.Add(entry.Outcome);
        }

        return (outcomes, upTo);
    }

    /// <summary>The first commit with an outcome that the user's queue has not confirmed; 0 when there is none.</summary>
    public long FirstUnacked(UserId user) => unacked.GetValueOrDefault(user.Value) is [var first, ..] ? first.Commit : 0;

    public bool OwesOutcome(UserId user, LeaseNr lease) =>
        open.Keys.Any(key => key.User == user && key.Lease == lease)
        || (unacked.GetValueOrDefault(user.Value)?.Exists(e => e.Outcome.Lease == lease) ?? false);

    /// <summary>The mails that the service started, as far as the journal knows.</summary>
    public StartLogSnapshot Starts(ServiceId service) => (starts.GetValueOrDefault(service.Value) ?? new StartLog()).ToSnapshot(service);

    public void Apply(LaneCommitted committed)
    {
        if (committed.Nr != CommitNr + 1)
        {
            throw new InvalidOperationException($"Commit {committed.Nr} follows commit {CommitNr}: the journal of this lane has a hole or two writers.");
        }

        CommitNr = committed.Nr;
        CountLatest(committed);
        foreach (var mail in committed.Ended)
        {
            open.Remove(MailKey.Of(mail));
            AddUnacked(new UnackedSnapshot(mail.User, committed.Nr, mail.Outcome));
        }

        foreach (var mail in committed.Withdrawn)
        {
            if (open.Remove(MailKey.Of(mail), out var withdrawn))
            {
                Log(withdrawn.Mail.Service).CountBack(DateTimeOffset.FromUnixTimeMilliseconds(withdrawn.AtMs), MailboxProviders.Numbered(withdrawn.Mail.Provider));
            }
        }

        foreach (var mail in committed.Started)
        {
            open.Add(MailKey.Of(mail), new OpenMailSnapshot(mail, committed.Process, committed.AtMs));
            Log(mail.Service).Count(DateTimeOffset.FromUnixTimeMilliseconds(committed.AtMs), MailboxProviders.Numbered(mail.Provider));
        }

        foreach (var ack in committed.Acked)
        {
            if (unacked.TryGetValue(ack.User.Value, out var entries))
            {
                UnackedCount -= entries.RemoveAll(e => e.Commit <= ack.UpToCommit);
                if (entries.Count == 0)
                {
                    unacked.Remove(ack.User.Value);
                }
            }
        }
    }

    /// <summary>
    /// Mails go onto the wire when their commit is durable, however long that takes, and only then is the next commit made: its moment is when they went, or, where the lane
    /// had nothing else to say or its process ended, a later one, which errs on the safe side.
    /// </summary>
    private void CountLatest(LaneCommitted next)
    {
        foreach (var (service, n) in latest)
        {
            Log(new ServiceId(service)).Seconds.Count(DateTimeOffset.FromUnixTimeMilliseconds(next.AtMs), n);
        }

        latest.Clear();
        foreach (var mail in next.Started)
        {
            latest[mail.Service.Value] = latest.GetValueOrDefault(mail.Service.Value) + 1;
        }
    }

    private void AddUnacked(UnackedSnapshot entry)
    {
        if (!unacked.TryGetValue(entry.User.Value, out var entries))
        {
            unacked.Add(entry.User.Value, entries = []);
        }

        entries.Add(entry);
        UnackedCount++;
    }

    private StartLog Log(ServiceId service)
    {
        if (!starts.TryGetValue(service.Value, out var log))
        {
            starts.Add(service.Value, log = new StartLog());
        }

        return log;
    }

    public LaneSnapshot ToSnapshot() =>
        new(CommitNr,
            [.. open.Values.OrderBy(o => (o.Mail.User.Value, o.Mail.Lease.Value, o.Mail.Seq))],
            [.. unacked.Values.SelectMany(e => e)],
            [],
            [.. starts.OrderBy(log => log.Key).Select(log => log.Value.ToSnapshot(new ServiceId(log.Key)))],
            [.. latest.OrderBy(started => started.Key).Select(started => new ServiceStarts(new ServiceId(started.Key), started.Value))]);

    public static LaneState From(LaneSnapshot snapshot)
    {
        var state = new LaneState { CommitNr = snapshot.CommitNr };
        foreach (var mail in snapshot.Open)
        {
            state.open.Add(MailKey.Of(mail.Mail), mail);
        }

        foreach (var entry in snapshot.Unacked)
        {
            state.AddUnacked(entry);
        }

        foreach (var counter in snapshot.Starts)
        {
            state.starts[counter.Service.Value] = StartLog.From(counter);
        }

        foreach (var (service, n) in snapshot.Latest ?? [])
        {
            state.latest.Add(service.Value, n);
        }

        foreach (var log in snapshot.StartLogs ?? [])
        {
            state.starts[log.Service.Value] = StartLog.From(log);
        }

        return state;
    }
}
