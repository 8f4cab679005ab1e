using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.History;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Contacts.Suppressions;
using Edm.Engine.Storage.Projections;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Storage.Projections;

public sealed class DeliveriesStoreTestsOnSqlite() : DeliveriesStoreTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class DeliveriesStoreTestsOnPostgres(PostgresFixture postgres) : DeliveriesStoreTests(new PostgresDatabases(postgres));

public abstract class DeliveriesStoreTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly TaskId Task1 = new(1);
    private static readonly LaneId Lane = new(new PoolId(1), 0);

    private UserId user;

    private DeliveriesStore Store => new(Database);

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        user = await AddUserAsync();
        await Database.RunAsync(connection => connection.ExecuteAsync(
            """
            INSERT INTO pools (id, user_id, name, lanes, created_at) VALUES (1, @user, 'p', 1, 0);
            INSERT INTO templates (id, user_id, name, version, created_at, updated_at) VALUES (1, @user, 't', 1, 0, 0);
            INSERT INTO campaigns (id, user_id, name, template_id, pool_id, state, created_at) VALUES (1, @user, 'c', 1, 1, 'launched', 0);
            INSERT INTO tasks (id, user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at)
              VALUES (1, @user, 1, 1, 1, 1, 1, 1, 5, 'launching', 0);
            """,
            new DataParameter("user", user.Value)));
    }

    [Fact]
    public async Task Each_recipient_has_the_state_of_its_last_outcome_and_the_sum_of_its_attempts()
    {
        await Apply(
            (1, Queued()),
            (2, Recorded(Of(1, OutcomeKind.Deferred, RecipientState.PendingRetry, 1), Of(2, OutcomeKind.Sent, RecipientState.Sent, 1))),
            (3, Recorded(Of(1, OutcomeKind.Sent, RecipientState.Sent, 2), Of(3, OutcomeKind.Skipped, RecipientState.Skipped, 1))));

        Assert.Equal(["1 sent 2", "2 sent 1", "3 skipped 0"], await Deliveries());
        Assert.Equal("running sent=2 failed=0 skipped=1 unknown=0 finished=", await TheTask());
        Assert.Equal(3, await Store.OffsetAsync(default));
    }

    [Fact]
    public async Task Events_that_were_applied_before_change_nothing()
    {
        (long, IUserQueueEvent)[] events = [(1, Queued()), (2, Recorded(Of(1, OutcomeKind.Sent, RecipientState.Sent, 1)))];
        await Apply(events);

        await Apply([.. events, (3, Recorded(Of(2, OutcomeKind.Failed, RecipientState.Failed, 1)))]);
        await Apply(events);

        Assert.Equal(["1 sent 1", "2 failed 1"], await Deliveries());
        Assert.Equal("running sent=1 failed=1 skipped=0 unknown=0 finished=", await TheTask());
        Assert.Equal(3, await Store.OffsetAsync(default));
    }

    [Fact]
    public async Task A_contact_knows_when_it_was_last_sent_a_mail_and_filters_see_it()
    {
        for (var seq = 1; seq <= 3; seq++)
        {
            var contact = await AddContactAsync(new ContactRow { UserId = user, Email = $"c{seq}@example.com", EmailKey = $"c{seq}@example.com", Handle = $"c{seq}" });
            await Database.RunAsync(connection => connection.ExecuteAsync(
                "INSERT INTO audience (task_id, seq, contact_id, campaign_id, round) VALUES (1, @seq, @contact, 1, 1)",
                new DataParameter("seq", seq), new DataParameter("contact", contact.Value)));
        }

        Assert.Equal(3, await Search.CountAsync(user, ContactFilter.Parse("lastSent is empty")));

        await Apply((1, Queued()), (2, Recorded(Of(1, OutcomeKind.Sent, RecipientState.Sent, 1), Of(2, OutcomeKind.Failed, RecipientState.Failed, 1))));
        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.Parse("lastSent is not empty and handle = c1")));
        await Apply((3, Recorded(Of(3, OutcomeKind.Sent, RecipientState.Sent, 1))));

        Assert.Equal(2, await Search.CountAsync(user, ContactFilter.Parse("lastSent < 1d ago")));
        Assert.Equal(["c2"], (await Search.PageAsync(user, ContactFilter.Parse("lastSent is empty"), ContactOrder.Oldest, null, 10)).Contacts.Select(c => c.Card.Handle));
    }

    [Fact]
    public async Task A_recipient_has_the_class_of_its_last_reply()
    {
        await Apply(
            (1, Queued()),
            (2, Recorded(Replied(1, OutcomeKind.Deferred, RecipientState.PendingRetry, ReplyClass.Greylisted), Replied(2, OutcomeKind.Failed, RecipientState.Failed, ReplyClass.MailboxFull))),
            (3, Recorded(Of(1, OutcomeKind.Sent, RecipientState.Sent, 2), Of(3, OutcomeKind.Unknown, RecipientState.Unknown, 1))));

        Assert.Equal(
            ["1 accepted", "2 mailbox-full", "3 -"],
            await Database.RunAsync(connection => connection.QueryToListAsync<string>("SELECT seq || ' ' || coalesce(class, '-') FROM deliveries ORDER BY seq")));
    }

    [Fact]
    public async Task A_contact_whose_mailbox_does_not_exist_is_suppressed_once_and_nobody_else()
    {
        var contacts = new List<ContactId>();
        for (var seq = 1; seq <= 4; seq++)
        {
            var contact = await AddContactAsync(new ContactRow { UserId = user, Email = $"c{seq}@example.com", EmailKey = $"c{seq}@example.com", Handle = $"c{seq}" });
            contacts.Add(contact);
            await Database.RunAsync(connection => connection.ExecuteAsync(
                "INSERT INTO audience (task_id, seq, contact_id, campaign_id, round) VALUES (1, @seq, @contact, 1, 1)",
                new DataParameter("seq", seq), new DataParameter("contact", contact.Value)));
        }

        var store = new ContactStore(Database, ImportParts.Suppressions(Time), Time);
        var suppression = new DeadAddressSuppression(Database, Time, NullLogger<DeadAddressSuppression>.Instance);
        var now = Time.GetUtcNow().ToUnixTimeMilliseconds();
        await store.ChangeAsync(user, contacts[3], draft => ContactDraft.Of(draft) with { Email = "new@example.com" }, "me");
        await Apply(
            (1, Queued()),
            (2, Recorded(
                Dead(1, now), Replied(2, OutcomeKind.Failed, RecipientState.Failed, ReplyClass.NoSuchUser), Replied(3, OutcomeKind.Failed, RecipientState.Failed, ReplyClass.MailboxFull),
                Dead(4, now), Dead(5, now))));

        Assert.Equal(2, await suppression.ApplyAsync(default));
        Assert.Equal(0, await suppression.ApplyAsync(default));

        // The fourth has another address by now; the fifth is in no audience.
        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.Parse("status = suppressed and handle = c1")));
        Assert.Equal(1, await Search.CountAsync(user, ContactFilter.Parse("status = suppressed")));
        var (history, _) = (await new ContactHistory(Database).PageAsync(user, contacts[0], null, 10, default))!.Value;
        Assert.Equal(("changed", "mail", "1", "suppressed"), (history[0].Kind, history[0].Source, history[0].By, history[0].Changes["status"].To));

        // Who takes it back is not overruled by an old reply.
        await store.SetStatusAsync(user, contacts[0], ContactStatus.Active, "me");
        Assert.Equal(0, await suppression.ApplyAsync(default));
        Assert.Equal(0, await Search.CountAsync(user, ContactFilter.Parse("status = suppressed")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failed_recipients_wait_again_when_they_are_retried(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded(Of(1, OutcomeKind.Failed, RecipientState.Failed, 1), Of(2, OutcomeKind.Sent, RecipientState.Sent, 1))),
            (3, new TaskFinished(Task1, [0, 0, 0, 1, 1, 0, 0, 0], 30)),
            (4, new FailedRetried(Task1, [new SeqRange(1, 1)], 40)));

        Assert.Equal(["1 waiting 1", "2 sent 1"], await Deliveries());
        Assert.Equal("running sent=1 failed=0 skipped=0 unknown=0 finished=", await TheTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_last_outcomes_of_a_task_can_say_themselves_that_it_is_finished(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded(Of(1, OutcomeKind.Failed, RecipientState.Failed, 1))),
            (3, Recorded(Of(2, OutcomeKind.Sent, RecipientState.Sent, 1)) with { Finished = [new TaskFinished(Task1, [0, 0, 0, 1, 1, 0, 0, 0], 30)] }));

        Assert.Equal(["1 failed 1", "2 sent 1"], await Deliveries());
        Assert.Equal("finished sent=1 failed=1 skipped=0 unknown=0 finished=30", await TheTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Pending_recipients_are_cancelled_with_their_task_which_stays_cancelled_when_it_is_finished(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded(Of(1, OutcomeKind.Deferred, RecipientState.PendingRetry, 1), Of(2, OutcomeKind.Unknown, RecipientState.Unknown, 1))),
            (3, new TaskCancelled(Task1, 30)),
            (4, new TaskFinished(Task1, [0, 0, 0, 0, 0, 0, 4, 1], 40)));

        Assert.Equal(["1 cancelled 1", "2 unknown 1"], await Deliveries());
        Assert.Equal("cancelled sent=0 failed=0 skipped=0 unknown=1 finished=40", await TheTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_expired_has_failed_and_its_page_says_so_beside_the_last_words(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded(
                Because(1, RecipientState.PendingRetry, "451 busy"), Because(2, RecipientState.PendingRetry, null), Because(3, RecipientState.PendingRetry, "later"))),
            (3, new RecipientsExpired(Task1, [new SeqRange(1, 2)], 40)));

        Assert.Equal(
            ["1 expired: too old for another try; before: 451 busy", "2 expired: too old for another try", "3 later"],
            await Database.RunAsync(connection => connection.QueryToListAsync<string>("SELECT seq || ' ' || reason FROM deliveries ORDER BY seq")));
        Assert.Equal(["1 failed 1", "2 failed 1", "3 pending-retry 1"], await Deliveries());
        Assert.Equal("running sent=0 failed=2 skipped=0 unknown=0 finished=", await TheTask());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Unknown_mails_that_are_decided_say_who_decided_and_the_counts_are_exact(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded([.. Enumerable.Range(1, 4).Select(seq => Because(seq, RecipientState.Unknown, "cut off"))])),
            (3, new TaskFinished(Task1, [1, 0, 0, 0, 0, 0, 0, 4], 30)),
            (4, new UnknownResolved(Task1, UnknownVerdict.Sent, [new SeqRange(1, 1)], "evidence", 40, "relay 3")),
            (5, new UnknownResolved(Task1, UnknownVerdict.Failed, [new SeqRange(2, 2)], "key 7", 41)));
        Assert.Equal("finished sent=1 failed=1 skipped=0 unknown=2 finished=30", await TheTask());
        await ApplyInRuns(inOneRun, (6, new UnknownResolved(Task1, UnknownVerdict.Resend, [new SeqRange(4, 4)], "key 7", 42)));

        Assert.Equal("running sent=1 failed=1 skipped=0 unknown=1 finished=", await TheTask());
        Assert.Equal(
            [
                "1 sent unknown, taken for sent by evidence: relay 3; before: cut off", "2 failed unknown, taken for failed by key 7; before: cut off", "3 unknown cut off",
                "4 waiting unknown, to be sent again by key 7; before: cut off",
            ],
            await Database.RunAsync(connection => connection.QueryToListAsync<string>("SELECT seq || ' ' || state || ' ' || reason FROM deliveries ORDER BY seq")));
    }

    [Fact]
    public async Task A_contact_whose_mail_turns_out_to_be_sent_was_last_sent_to_at_that_try()
    {
        var contact = await AddContactAsync(new ContactRow { UserId = user, Email = "c@example.com", EmailKey = "c@example.com", Handle = "c" });
        await Database.RunAsync(connection => connection.ExecuteAsync(
            "INSERT INTO audience (task_id, seq, contact_id, campaign_id, round) VALUES (1, 1, @contact, 1, 1)", new DataParameter("contact", contact.Value)));
        await Apply((1, Queued()), (2, Recorded(Of(1, OutcomeKind.Unknown, RecipientState.Unknown, 1))));

        await Apply((3, new UnknownResolved(Task1, UnknownVerdict.Sent, [new SeqRange(1, 1)], "evidence", 40)));

        Assert.Equal(10, await Database.RunAsync(connection => connection.ExecuteAsync<long>("SELECT last_sent_at FROM contact_activity")));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_was_missed_waits_again_and_the_task_is_not_cancelled_any_more(bool inOneRun)
    {
        await ApplyInRuns(
            inOneRun,
            (1, Queued()),
            (2, Recorded(Of(1, OutcomeKind.Skipped, RecipientState.Skipped, 1), Of(2, OutcomeKind.Deferred, RecipientState.PendingRetry, 1))),
            (3, new TaskCancelled(Task1, 30)),
            (4, new TaskFinished(Task1, [0, 0, 0, 0, 0, 1, 4, 0], 35)));
        await ApplyInRuns(inOneRun, (5, new MissedReopened(Task1, [new SeqRange(2, 5)], [new SeqRange(1, 1)], 40)));
        Assert.Equal("running sent=0 failed=0 skipped=0 unknown=0 finished=", await TheTask());
        Assert.Equal(["1 waiting 0", "2 waiting 1"], await Deliveries());

        await ApplyInRuns(inOneRun, (6, new MissedReopened(Task1, [], [], 45)), (7, new TaskFinished(Task1, [0, 0, 0, 5, 0, 0, 0, 0], 50)));
        Assert.Equal("finished sent=0 failed=0 skipped=0 unknown=0 finished=50", await TheTask());
    }

    [Fact]
    public async Task A_task_has_the_priority_the_cap_and_the_policy_that_it_was_given_last()
    {
        await Apply((1, Queued()), (2, new PriorityChanged(Task1, 7, 1)), (3, new CapChanged(Task1, 2, 0)));
        Assert.Equal("7 0 hold", await Read());
        await Apply((4, new CapChanged(Task1, 3)), (5, new UnknownPolicyChanged(Task1, UnknownPolicy.Resend, 3)));
        await Apply((6, new TaskPaused(Task1, 4)));
        Assert.Equal("7 - resend", await Read());

        Task<string> Read() => Database.RunAsync(connection => connection.ExecuteAsync<string>(
            "SELECT priority || ' ' || coalesce(cast(cap AS text), '-') || ' ' || unknown_policy FROM tasks WHERE id = 1"));
    }

    [Fact]
    public async Task A_task_has_the_retry_rules_that_it_was_given_last()
    {
        await Apply((1, Queued()));
        Assert.Equal("8 259200 -", await Read());
        await Apply((2, new RetryRulesChanged(Task1, RetryRules.Default with { MaxAttempts = 3, SendWithinSeconds = 60 }, 1)), (3, new TaskPaused(Task1, 2)));
        await Apply((4, new PriorityChanged(Task1, 7, 3)));
        Assert.Equal("3 259200 60", await Read());
        await Apply((5, new RetryRulesChanged(Task1, RetryRules.Default with { MaxAgeSeconds = 5 }, 4)));
        Assert.Equal("8 5 -", await Read());

        Task<string> Read() => Database.RunAsync(connection => connection.ExecuteAsync<string>(
            "SELECT max_attempts || ' ' || max_age || ' ' || coalesce(cast(send_within AS text), '-') FROM tasks WHERE id = 1"));
    }

    private static RecordedOutcome Because(int seq, RecipientState state, string? reason)
    {
        var one = Of(seq, OutcomeKind.Deferred, state, 1);
        return one with { Outcome = one.Outcome with { Reason = reason } };
    }

    private async Task ApplyInRuns(bool inOneRun, params (long Offset, IUserQueueEvent Event)[] events)
    {
        if (inOneRun)
        {
            await Apply(events);
            return;
        }

        foreach (var one in events)
        {
            await Apply(one);
        }
    }

    private Task Apply(params (long Offset, IUserQueueEvent Event)[] events) =>
        Store.ApplyAsync([.. events.Select(e => new ProjectedEvent(user, e.Event, e.Offset))], events[^1].Offset, default);

    private static TaskQueued Queued() => new(Task1, new PoolId(1), 1, 1, [new Segment(new SeqRange(1, 5))], RetryRules.Default, UnknownPolicy.Hold, 0);

    private static OutcomesRecorded Recorded(params RecordedOutcome[] items) => new(Lane, 1, items, 20);

    private static RecordedOutcome Of(int seq, OutcomeKind kind, RecipientState state, int attempt) => new(
        new Outcome(Task1, new LeaseNr(1), seq, attempt, kind, 10 * attempt, new ServiceId(1), 250, "2.0.0", "Ok", null), state, state == RecipientState.PendingRetry ? 99 : null);

    private static RecordedOutcome Replied(int seq, OutcomeKind kind, RecipientState state, ReplyClass reply)
    {
        var one = Of(seq, kind, state, 1);
        return one with { Outcome = one.Outcome with { Class = reply } };
    }

    private static RecordedOutcome Dead(int seq, long atMs) => new(
        new Outcome(Task1, new LeaseNr(1), seq, 1, OutcomeKind.Failed, atMs, new ServiceId(1), 550, "5.1.1", "no such user", Class: ReplyClass.NoSuchUser, Suppress: true), RecipientState.Failed);

    private async Task<List<string>> Deliveries() => await Database.RunAsync(async connection =>
        (await connection.QueryToListAsync<string>(
            "SELECT seq || ' ' || state || ' ' || attempts FROM deliveries WHERE (due_at IS NULL) = (state <> 'pending-retry') ORDER BY seq")).ToList());

    private Task<string> TheTask() => Database.RunAsync(connection => connection.ExecuteAsync<string>(
        """
        SELECT state || ' sent=' || sent || ' failed=' || failed || ' skipped=' || skipped || ' unknown=' || unknown || ' finished=' || coalesce(cast(finished_at AS text), '')
        FROM tasks WHERE id = 1
        """));
}
