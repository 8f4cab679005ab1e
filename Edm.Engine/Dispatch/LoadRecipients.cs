using Akka.Actor;
using Akka.Event;
using Edm.Contracts;
using Edm.Engine.Campaigns;

namespace Edm.Engine.Dispatch;

/// <summary>Turns a batch into mails: one question to the database. Whoever may not be mailed is reported to the lane as skipped and goes no further.</summary>
internal sealed class LoadRecipients(IRecipientSource recipients, IActorRef lane, TimeProvider time, ILoggingAdapter log, CancellationToken stopping)
{
    /// <summary>The database is away as long as it is away; nothing is lost by waiting, and nothing else is fetched meanwhile.</summary>
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(5);

    public async Task<IReadOnlyList<Mail>> LoadAsync(Batch batch)
    {
        var delay = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                return await LoadOnceAsync(batch);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                log.Warning("Recipients of task {Task} can't be read ({Reason}); trying again in {Delay}", batch.Task, e.Message, delay);
                await Task.Delay(delay, time, stopping);
                delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay;
            }
        }
    }

    private async Task<IReadOnlyList<Mail>> LoadOnceAsync(Batch batch)
    {
        var attempts = batch.Fresh.SelectMany(r => Enumerable.Range(r.First, r.Count)).Select(seq => (Seq: seq, Attempt: 1, RefusedBy: Array.Empty<ServiceId>()))
            .Concat(batch.Retries.Select(r => (r.Seq, r.Attempt, r.RefusedBy ?? []))).ToArray();
        var lease = batch.Lease ?? throw new ArgumentException("An empty batch has nobody to load.", nameof(batch));
        if (await recipients.LoadAsync(batch.Task, [.. attempts.Select(a => a.Seq)], stopping) is not var (task, loaded))
        {
            foreach (var (seq, attempt, _) in attempts)
            {
                Skip(batch.User, new Outcome(batch.Task, lease, seq, attempt, OutcomeKind.Skipped, NowMs, Reason: "the task was deleted"));
            }

            return [];
        }

        var mails = new List<Mail>(loaded.Count);
        for (var i = 0; i < loaded.Count; i++)
        {
            var (seq, attempt, refusedBy) = attempts[i];
            if (loaded[i].Contact is { } contact)
            {
                mails.Add(new Mail(new MailKey(batch.User, lease, seq), task, attempt, contact) { RefusedBy = refusedBy });
            }
            else
            {
                Skip(batch.User, new Outcome(batch.Task, lease, seq, attempt, OutcomeKind.Skipped, NowMs, Reason: loaded[i].SkipReason ?? "the contact is gone"));
            }
        }

        return mails;
    }

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    private void Skip(UserId user, Outcome outcome) => lane.Tell(new MailEnded(new EndedMail(user, outcome)));
}
