using CsCheck;
using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;
using Edm.Engine.Tests.Contracts;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class LaneStateTests
{
    /// <summary>A minute before midnight UTC, so that quarters and days change in a short random life.</summary>
    private const long Start = 20_455 * 86_400_000L - 60_000;

    private static readonly UserId[] Users = [new(1), new(2), new(3)];
    private static readonly ServiceId[] Services = [new(7), new(8)];

    /// <summary>Started, ended of the open ones, ended that never started, withdrawn, acknowledgement of a user, wait.</summary>
    private static readonly Gen<(int Starts, int Ends, int Skips, int Withdraws, int Ack, long Wait)[]> Life = Gen.Select(
        Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 2], Gen.Int[0, 2], Gen.Int[0, 5], Gen.OneOf(Gen.Long[0, 1000], Gen.Long[0, 4_000_000], Gen.Const(-50_000L))).Array[1, 40];

    [Fact]
    public void It_knows_after_a_crash_what_it_knew_before() => Life.Sample(life =>
    {
        var (live, journal) = (new LaneState(), new List<LaneCommitted>());
        var open = new Dictionary<MailKey, (StartedMail Mail, long Process)>();
        var unacked = new List<(UserId User, long Commit, Outcome Outcome)>();
        var (now, mails) = (Start, 0);
        foreach (var step in life)
        {
            now += step.Wait;
            var commit = Commit(step, live.CommitNr + 1, now, [.. open.Values.Select(o => o.Mail)], unacked, ref mails);
            journal.Add(SharedSerializer.Copy(commit));

            live.Apply(commit);

            Follow(open, unacked, commit);
            Assert.Equal(open.OrderBy(o => o.Key.ToString()), live.Open.OrderBy(o => o.Key.ToString()).Select(o => KeyValuePair.Create(o.Key, (o.Value.Mail, o.Value.Process))));
            Assert.Equal(unacked.Count, live.UnackedCount);
            Assert.Equal(unacked.Select(u => u.User).Distinct().OrderBy(u => u.Value), live.UsersWithUnacked);
            Assert.All(Users, user => Assert.Equal(unacked.Where(u => u.User == user).Select(u => u.Outcome), live.Unacked(user, 0, int.MaxValue).Outcomes));
            Assert.All(Users, user => Assert.All(Enumerable.Range(0, mails + 1).Select(n => new LeaseNr(n / 5)), lease => Assert.Equal(
                open.Keys.Any(k => k.User == user && k.Lease == lease) || unacked.Exists(u => u.User == user && u.Outcome.Lease == lease), live.OwesOutcome(user, lease))));

            var replayed = new LaneState();
            journal.ForEach(replayed.Apply);
            Assert.Equivalent(live.ToSnapshot(), replayed.ToSnapshot(), strict: true);
            Assert.Equivalent(live.ToSnapshot(), LaneState.From(SharedSerializer.Copy(live.ToSnapshot())).ToSnapshot(), strict: true);
        }
    });

    private static LaneCommitted Commit(
        (int Starts, int Ends, int Skips, int Withdraws, int Ack, long Wait) step, long nr, long now, StartedMail[] open,
        List<(UserId User, long Commit, Outcome Outcome)> unacked, ref int mails)
    {
        var started = new List<StartedMail>();
        var ended = new List<EndedMail>();
        for (var i = 0; i < step.Starts; i++, mails++)
        {
            started.Add(new StartedMail(Users[mails % 3], new TaskId(1), new LeaseNr(mails / 5), mails, 1, Services[mails % 2], mails % 7));
        }

        for (var i = 0; i < step.Skips; i++, mails++)
        {
            ended.Add(Ended(Users[mails % 3], mails / 5, mails, OutcomeKind.Skipped, now));
        }

        ended.AddRange(open.Take(step.Ends).Select(m => Ended(m.User, m.Lease.Value, m.Seq, OutcomeKind.Sent, now)));
        var withdrawn = open.Skip(step.Ends).Take(step.Withdraws).Select(m => new WithdrawnMail(m.User, m.Lease, m.Seq));
        var ack = step.Ack < 3 && unacked.Count > 0 ? [new AckedOutcomes(Users[step.Ack], unacked[unacked.Count / 2].Commit)] : Array.Empty<AckedOutcomes>();
        return new LaneCommitted(nr, now, 1 + (nr % 2), [.. started], [.. ended], [.. withdrawn], ack);
    }

    private static EndedMail Ended(UserId user, long lease, int seq, OutcomeKind kind, long now) =>
        new(user, new Outcome(new TaskId(1), new LeaseNr(lease), seq, 1, kind, now));

    private static void Follow(
        Dictionary<MailKey, (StartedMail Mail, long Process)> open, List<(UserId User, long Commit, Outcome Outcome)> unacked, LaneCommitted commit)
    {
        foreach (var key in commit.Ended.Select(MailKey.Of).Concat(commit.Withdrawn.Select(MailKey.Of)))
        {
            open.Remove(key);
        }

        foreach (var mail in commit.Started)
        {
            open.Add(MailKey.Of(mail), (mail, commit.Process));
        }

        unacked.AddRange(commit.Ended.Select(m => (m.User, commit.Nr, m.Outcome)));
        foreach (var ack in commit.Acked)
        {
            unacked.RemoveAll(u => u.User == ack.User && u.Commit <= ack.UpToCommit);
        }
    }

    [Fact]
    public void Starts_are_counted_by_service_minute_and_provider()
    {
        var state = new LaneState();
        Started(state, Start, 1, 2);
        Started(state, Start + 60_000, 3);

        Assert.Equal((3, 2), (Hour(state, Start + 60_000), Hour(state, Start + 60_000, MailboxProvider.Gmail)));
        Assert.Equal(1, StartLog.From(state.Starts(Services[0])).Since(DateTimeOffset.FromUnixTimeMilliseconds(Start + 60_000)));
        Assert.Empty(state.Starts(Services[1]).Minutes);
    }

    /// <summary>However long the journal took, and also out of a snapshot that was made in between.</summary>
    [Fact]
    public void A_start_counts_by_the_second_when_the_next_commit_is_made()
    {
        var state = new LaneState();
        Started(state, Start, 1, 2);
        Assert.Empty(state.Starts(Services[0]).Seconds!);
        state = LaneState.From(SharedSerializer.Copy(state.ToSnapshot()));

        Started(state, Start + 7_000, 3);
        Withdraw(state, Start + 9_000, 3);

        Assert.Equal([new StartCount((Start / 1000) + 7, 0, 2), new StartCount((Start / 1000) + 9, 0, 1)], state.Starts(Services[0]).Seconds!);
    }

    [Fact]
    public void A_withdrawn_start_frees_its_place()
    {
        var state = new LaneState();
        Started(state, Start, 1, 2);
        Withdraw(state, Start + 1, 1);

        Assert.Equal((1, 0), (Hour(state, Start), Hour(state, Start, MailboxProvider.Gmail)));
    }

    [Fact]
    public void A_withdrawn_mail_that_is_not_open_counts_nothing()
    {
        var state = new LaneState();
        Started(state, Start, 1);

        Withdraw(state, Start, 99);

        Assert.Equal(1, Hour(state, Start));
    }

    [Fact]
    public void The_counters_of_earlier_snapshots_are_taken_over()
    {
        var state = LaneState.From(new LaneSnapshot(3, [], [], [new StartCounter(Services[0], Start / 3_600_000, 4, Start / 86_400_000, 9)]));

        Assert.Equal((4, 9), (Hour(state, Start), StartLog.From(state.Starts(Services[0])).Since(DateTimeOffset.FromUnixTimeMilliseconds(Start).Date)));
    }

    private static int Hour(LaneState state, long nowMs, MailboxProvider? provider = null) =>
        StartLog.From(state.Starts(Services[0])).InHour(DateTimeOffset.FromUnixTimeMilliseconds(nowMs), provider);

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_commit_out_of_turn_is_refused(long nr)
    {
        var state = new LaneState();
        Started(state, Start, 1);

        Assert.Throws<InvalidOperationException>(() => state.Apply(new LaneCommitted(nr, Start, 1, [], [], [], [])));
    }

    [Fact]
    public void Outcomes_are_told_in_whole_commits_of_about_as_many_as_asked()
    {
        var state = new LaneState();
        for (var nr = 1; nr <= 5; nr++)
        {
            state.Apply(new LaneCommitted(nr, Start, 1, [], [.. Enumerable.Range(1, 3).Select(i => Ended(Users[nr == 3 ? 1 : 0], nr, i, OutcomeKind.Skipped, Start))], [], []));
        }

        Assert.Equal((4L, 3 + 3 + 3), Told(0, 7));
        Assert.Equal((1L, 3), Told(0, 1));
        Assert.Equal((5L, 6), Told(2, 100));
        Assert.Equal((5L, 0), Told(5, 100));

        (long, int) Told(long after, int about)
        {
            var (outcomes, upTo) = state.Unacked(Users[0], after, about);
            return (upTo, outcomes.Count);
        }
    }

    private static void Started(LaneState state, long now, params int[] seqs) =>
        state.Apply(new LaneCommitted(state.CommitNr + 1, now, 1, [.. seqs.Select(seq => new StartedMail(Users[0], new TaskId(1), new LeaseNr(1), seq, 1, Services[0], seq % 2))], [], [], []));

    private static void Withdraw(LaneState state, long now, int seq) =>
        state.Apply(new LaneCommitted(state.CommitNr + 1, now, 1, [], [], [new WithdrawnMail(Users[0], new LeaseNr(1), seq)], []));
}
