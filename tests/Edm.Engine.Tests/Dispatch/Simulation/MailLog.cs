using Edm.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>
/// What really happened to each recipient, as somebody knows it who sees journals, wires and servers at once, and what must never happen there. It shares no code
/// with queues and lanes.
/// </summary>
internal sealed class MailLog
{
    private readonly Dictionary<(UserId User, TaskId Task, int Seq), Recipient> recipients = [];
    private readonly Dictionary<TaskId, UnknownPolicy> policies = [];
    private readonly HashSet<long> deadProcesses = [];

    /// <summary>Whether or not they were sent to those missed afterwards.</summary>
    private readonly HashSet<TaskId> cancelled = [];

    public void Durable(UserId user, IUserQueueEvent happened)
    {
        switch (happened)
        {
            case TaskQueued e:
                Assert.True(policies.TryAdd(e.Task, e.Unknown), $"task {e.Task} was queued twice");
                break;
            case TaskCancelled e: cancelled.Add(e.Task); break;
            case FailedRetried e:
                foreach (var seq in e.Seqs.SelectMany(r => Enumerable.Range(r.First, r.Count)))
                {
                    Of(user, e.Task, seq).MayStart = true;
                }

                break;
            case MissedReopened e:
                foreach (var seq in e.Cancelled.Concat(e.Skipped).SelectMany(r => Enumerable.Range(r.First, r.Count)))
                {
                    Of(user, e.Task, seq).MayStart = true;
                }

                break;
            case UnknownResolved e:
                foreach (var seq in e.Seqs.SelectMany(r => Enumerable.Range(r.First, r.Count)))
                {
                    var recipient = Of(user, e.Task, seq);
                    Assert.True(recipient.WasInDoubt || recipient.Answer == OutcomeKind.Unknown || recipient.Verdicts.Count > 0, $"{e.Task}/{seq} was decided although nobody doubted it");
                    recipient.MayStart = e.As == UnknownVerdict.Resend;
                    recipient.Verdicts.Add(e.As);
                }

                break;
            case RecipientsExpired e:
                foreach (var seq in e.Seqs.SelectMany(r => Enumerable.Range(r.First, r.Count)))
                {
                    var recipient = Of(user, e.Task, seq);
                    Assert.True(recipient.Open is null || recipient.Open.WasInDoubt, $"{e.Task}/{seq} expired while its mail was open");
                    (recipient.MayStart, recipient.IsExpired) = (false, true);
                }

                break;
        }
    }

    public void Durable(LaneId lane, LaneCommitted commit)
    {
        foreach (var (_, recipient) in recipients.Where(r => r.Value.Open is { } open && open.Lane == lane && open.Process != commit.Process))
        {
            (recipient.WasInDoubt, recipient.Open!.WasInDoubt) = (true, true);
        }

        foreach (var mail in commit.Ended)
        {
            var recipient = Of(mail.User, mail.Outcome.Task, mail.Outcome.Seq);
            if (mail.Outcome.Kind == OutcomeKind.Unknown)
            {
                Assert.True(recipient.WasInDoubt || recipient.Answer == OutcomeKind.Unknown, "a mail became unknown although no process ended between its start and its end");
            }

            Assert.True(recipient.Open is null || (recipient.Open.Lane == lane && recipient.Open.Mail.Lease == mail.Outcome.Lease), $"{mail} ended while {recipient.Open?.Mail} was open");
            recipient.Open = null;
            recipient.MayStart = mail.Outcome.Kind == OutcomeKind.Deferred
                || (mail.Outcome.Kind == OutcomeKind.Unknown && policies[mail.Outcome.Task] == UnknownPolicy.Resend);
        }

        foreach (var mail in commit.Withdrawn)
        {
            var recipient = Of(mail.User, recipients.Single(r => r.Value.Open is { } o && o.Lane == lane && o.Mail.User == mail.User && o.Mail.Lease == mail.Lease && o.Mail.Seq == mail.Seq).Key.Task, mail.Seq);
            Assert.False(recipient.Open!.WasOnTheWire, "a mail was withdrawn that had been on the wire");
            (recipient.Open, recipient.MayStart) = (null, true);
        }

        foreach (var mail in commit.Started)
        {
            var recipient = Of(mail.User, mail.Task, mail.Seq);
            Assert.True(recipient.Open is null, $"{mail} was started while {recipient.Open?.Mail} was open");
            Assert.True(recipient.MayStart, $"{mail} was started again, and nothing allowed that");
            (recipient.Open, recipient.MayStart, recipient.WasInDoubt) = (new Start(lane, commit.Process, mail), false, false);
            recipient.Starts.Add(recipient.Open);
        }
    }

    public void OnTheWire(StartedMail mail, long process)
    {
        var recipient = Of(mail.User, mail.Task, mail.Seq);
        var start = recipient.Starts.Find(s => s.Process == process && s.Mail == mail);
        Assert.True(start is not null, $"{mail} went onto the wire, but its start is not in the journal");

        // A process that was cut off may do with its start what it was allowed to; the mail is unknown by then.
        Assert.True(start == recipient.Open || start.WasInDoubt, $"{mail} went onto the wire after it was ended or withdrawn");
        Assert.False(start.WasOnTheWire, $"{mail} went onto the wire twice");
        start.WasOnTheWire = true;
        var mayRepeat = policies[mail.Task] == UnknownPolicy.Resend || recipient.Verdicts.Contains(UnknownVerdict.Resend);
        Assert.True(mayRepeat || recipient.Wire is not { } wire || deadProcesses.Contains(wire), $"{mail} went onto the wire while it was there already");
        Assert.True(mayRepeat || recipient.Answer != OutcomeKind.Sent, $"{mail} went onto the wire although it was sent");
        if (start == recipient.Starts[^1])
        {
            (recipient.Wire, recipient.Answer) = (process, null);
        }
    }

    public void Answered(StartedMail mail, OutcomeKind answer)
    {
        var recipient = Of(mail.User, mail.Task, mail.Seq);
        if (recipient.Starts[^1].Mail == mail)
        {
            (recipient.Wire, recipient.Answer) = (null, answer);
        }
    }

    public void NotTried(StartedMail mail, OutcomeKind kind) => Of(mail.User, mail.Task, mail.Seq).NotTried.Add(kind);

    public void Died(long process) => deadProcesses.Add(process);

    /// <summary>Mails whose start is durable and whose end is not.</summary>
    public int OpenIn(LaneId lane) => recipients.Values.Count(r => r.Open?.Lane == lane);

    /// <summary>Is this the state in which a recipient with this history must end?</summary>
    public void CheckEnd(UserId user, TaskId task, int seq, RecipientState state)
    {
        var it = Of(user, task, seq);
        var fits = state switch
        {
            RecipientState.Sent => it.Answer == OutcomeKind.Sent || it.Verdicts.Contains(UnknownVerdict.Sent),
            RecipientState.Failed => it.Answer is OutcomeKind.Failed or OutcomeKind.Deferred || it.NotTried.Contains(OutcomeKind.Failed) || it.IsExpired
                || it.Verdicts.Contains(UnknownVerdict.Failed),
            RecipientState.Skipped => it.NotTried.Contains(OutcomeKind.Skipped),
            RecipientState.Cancelled => cancelled.Contains(task) && (it.Answer is null or OutcomeKind.Deferred || it.MayStart),
            RecipientState.Unknown => it.WasInDoubt || it.Answer == OutcomeKind.Unknown,
            _ => false,
        };
        Assert.True(fits, $"{task}/{seq} of user {user} ended as {state}: {it}");
        Assert.True(
            it.Answer != OutcomeKind.Sent || state == RecipientState.Sent || it.WasInDoubt || it.Verdicts.Count > 0, $"{task}/{seq} of user {user} was sent and ended as {state}");
        Assert.Null(it.Open);
    }

    private Recipient Of(UserId user, TaskId task, int seq)
    {
        if (!recipients.TryGetValue((user, task, seq), out var recipient))
        {
            recipients.Add((user, task, seq), recipient = new Recipient());
        }

        return recipient;
    }

    private sealed class Start(LaneId lane, long process, StartedMail mail)
    {
        public LaneId Lane { get; } = lane;
        public long Process { get; } = process;
        public StartedMail Mail { get; } = mail;
        public bool WasOnTheWire { get; set; }
        public bool WasInDoubt { get; set; }
    }

    private sealed record Recipient
    {
        public List<Start> Starts { get; } = [];

        /// <summary>Started in a journal, and not ended or withdrawn there.</summary>
        public Start? Open { get; set; }

        /// <summary>It was never started, or something happened since that allows another start.</summary>
        public bool MayStart { get; set; } = true;

        /// <summary>The process that has it on the wire.</summary>
        public long? Wire { get; set; }

        /// <summary>What the server said last.</summary>
        public OutcomeKind? Answer { get; set; }

        /// <summary>A process ended, or was cut off, between its start and its end.</summary>
        public bool WasInDoubt { get; set; }

        /// <summary>What operators have said of it, while nobody could know.</summary>
        public HashSet<UnknownVerdict> Verdicts { get; } = [];

        /// <summary>It was too old for another try, once.</summary>
        public bool IsExpired { get; set; }

        public HashSet<OutcomeKind> NotTried { get; } = [];
    }
}
