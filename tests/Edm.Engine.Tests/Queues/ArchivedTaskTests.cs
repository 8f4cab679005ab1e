using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Dispatch;
using Edm.Engine.Queues;
using Edm.Engine.Services;
using Edm.Engine.Settings;
using Edm.Engine.Tests.Dispatch;
using Edm.Engine.Unknowns;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Queues;

public sealed class ArchivedTaskTestsOnSqlite() : ArchivedTaskTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class ArchivedTaskTestsOnPostgres(PostgresFixture postgres) : ArchivedTaskTests(new PostgresDatabases(postgres));

/// <summary>Commands for tasks that a real queue has archived, with the projection behind it.</summary>
public abstract class ArchivedTaskTests(IDatabases databases) : DatabaseTests(databases)
{
    private static readonly TaskId First = new(1);

    private static EdmSettings Settings { get; } = EdmSettings.Read(
        new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), new Dictionary<string, string?> { ["EDM_ENVIRONMENT"] = "test" }.GetValueOrDefault).Load());

    private readonly MadeUpWorld world = new();

    /// <summary>Of the tasks that are launched.</summary>
    private RetryRules rules = RetryRules.Default;

    /// <summary>Servers are clear about everybody's mail.</summary>
    private bool isClear;
    private UserId user;

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        user = await AddUserAsync();
        world.Services.Add(MadeUpWorld.Service(1));
        world.Server = to => Task.FromResult(to switch
        {
            "r4@example.com" => new Attempt(AttemptResult.Rejected, 550, "5.1.1", "5.1.1 no", null),
            "r5@example.com" => MadeUpWorld.Accepted,
            _ => isClear ? MadeUpWorld.Accepted : new Attempt(AttemptResult.Unknown, null, null, "", "cut off"),
        });
        await Database.RunAsync(connection => connection.ExecuteAsync(
            """
            INSERT INTO pools (id, user_id, name, lanes, created_at) VALUES (1, @user, 'p', 1, 0);
            INSERT INTO templates (id, user_id, name, version, created_at, updated_at) VALUES (1, @user, 't', 1, 0, 0);
            INSERT INTO campaigns (id, user_id, name, template_id, pool_id, state, created_at) VALUES (1, @user, 'spring', 1, 1, 'launched', 0);
            INSERT INTO tasks (id, user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at, launched_at) VALUES
              (1, @user, 1, 1, 1, 1, 1, 1, 6, 'launching', 0, 1), (2, @user, 1, 2, 1, 1, 1, 1, 0, 'launching', 0, 2), (3, @user, 1, 3, 1, 1, 1, 1, 0, 'launching', 0, 3);
            """,
            new DataParameter("user", user.Value)));
    }

    /// <param name="remembered">Archived tasks whose number the queue remembers; with none it knows nothing of the task any more.</param>
    [Theory]
    [InlineData(10)]
    [InlineData(0)]
    public async Task Its_unknown_mails_are_decided_once_and_its_states_come_to_what_was_planned(int remembered)
    {
        await using var node = await ArchivedAsync(remembered);

        // Nobody knows of the first three and the last; the fourth failed, the fifth was sent.
        Assert.Equal(new Accepted(2), await ResolveAsync(node, UnknownVerdict.Sent, new SeqRange(1, 1), new SeqRange(3, 5)));
        Assert.Equal(new Accepted(0), await ResolveAsync(node, UnknownVerdict.Failed, new SeqRange(1, 1)));
        Assert.Equal(new Accepted(1), await ResolveAsync(node, UnknownVerdict.Failed, new SeqRange(2, 2)));

        var ledger = await node.LedgerAsync(user, First);
        Assert.Equal((TaskPhase.Finished, 6), (ledger.Phase, ledger.Planned));
        Assert.Equal([0, 0, 0, 3, 2, 0, 0, 1], ledger.Counts);
        await ProjectedAsync("finished planned=6 sent=3 failed=2 skipped=0 unknown=1");
    }

    [Fact]
    public async Task Unknown_mails_that_are_sent_again_make_it_run_again_also_after_a_restart()
    {
        await using (var node = await ArchivedAsync(10))
        {
            isClear = true;
            Assert.Equal(new Accepted(1), await ResolveAsync(node, UnknownVerdict.Resend, new SeqRange(2, 2)));
            await FinishedAsync(node, [0, 0, 0, 2, 1, 0, 0, 3]);
            Assert.Equal((1, 2, 1), (world.Received["r1@example.com"], world.Received["r2@example.com"], world.Received["r5@example.com"]));
        }

        await using (var node = await StartAsync(10))
        {
            await FinishedAsync(node, [0, 0, 0, 2, 1, 0, 0, 3]);
            Assert.Equal(new Accepted(3), await ResolveAsync(node, UnknownVerdict.Sent));
        }
    }

    [Fact]
    public async Task Commands_that_come_together_are_each_done_once()
    {
        await using var node = await ArchivedAsync(10);

        var replies = await Task.WhenAll(
            [.. Enumerable.Range(0, 5).Select(_ => ResolveAsync(node, UnknownVerdict.Sent, new SeqRange(1, 3))), node.AskAsync<IEdmMessage>(new RetryFailed(user, First))]);

        Assert.Equal(4, replies.Sum(reply => Assert.IsType<Accepted>(reply).Changed));
        await FinishedAsync(node, [0, 0, 0, 4, 1, 0, 0, 1]);
        await ProjectedAsync("finished planned=6 sent=4 failed=1 skipped=0 unknown=1");
    }

    [Fact]
    public async Task Evidence_brings_it_back_only_while_one_of_its_mails_is_unknown()
    {
        await using var node = await ArchivedAsync(10);
        var secrets = new SecretBox(new byte[MasterKey.Length]);
        var queue = new TaskQueue(node.Services.GetRequiredService<IRequiredActor<UserQueueRegion>>(), Settings);
        var tasks = new TaskStore(Database, Time);
        var launcher = new Launcher(new LaunchStore(Database, SendingSettings.Default, Time), queue, Time, NullLogger<Launcher>.Instance);
        var control = new UnknownControl(new TaskControl(tasks, queue, launcher, SendingSettings.Default), new TaskReader(tasks, new RecipientStore(Database), queue), new UnknownStore(Database, secrets), secrets);

        // Of the fifth it was known all the time.
        var evidence = await ProveAsync(1, 5);
        Assert.Equal((1, 1, 0), (evidence.Resolved, evidence.Settled, evidence.NotMine.Count));
        Assert.Equal(3, await control.ResolveAsync(user, First, UnknownVerdict.Failed, null, null, "key 7", null, default));
        await ProjectedAsync("finished planned=6 sent=2 failed=4 skipped=0 unknown=0");
        await node.AskAsync<Accepted>(Launch(3, 0));
        await GoneAsync(node);

        evidence = await ProveAsync(1, 2);
        Assert.Equal((0, 2), (evidence.Resolved, evidence.Settled));
        Assert.Equal(1, await Database.RunOnJournalAsync(connection => connection.ExecuteAsync<long>("SELECT count(*) FROM journal WHERE manifest = 'uq.task-wanted'"), default));

        Task<Evidence> ProveAsync(params int[] seqs) =>
            control.ProveAsync(user, [.. seqs.Select(seq => MessageIds.Of(First, seq, secrets.Mark, "s1@example.org"))], null, default);
    }

    [Fact]
    public async Task What_it_never_had_does_not_come_back()
    {
        await using var node = await ArchivedAsync(0);

        Assert.Equal(RefusalCode.NoSuchTask, (await node.AskAsync<Refused>(new ResolveUnknown(user, new TaskId(99), UnknownVerdict.Sent, "key 7"))).Code);
        Assert.Equal(RefusalCode.NoSuchTask, (await node.AskAsync<Refused>(new PauseTask(user, First))).Code);
    }

    [Fact]
    public async Task It_has_the_retry_rules_that_it_was_launched_with()
    {
        rules = rules with { MaxAttempts = 3, MaxAgeSeconds = 77_777, SendWithinSeconds = int.MaxValue };
        await using var node = await ArchivedAsync(10);

        await ResolveAsync(node, UnknownVerdict.Sent);

        // It was launched in 1970, and its time is over in 2038.
        Assert.Equal(rules, (await node.LedgerAsync(user, First)).Retry);
    }

    private Task<IEdmMessage> ResolveAsync(EngineNode node, UnknownVerdict verdict, params SeqRange[] seqs) =>
        node.AskAsync<IEdmMessage>(new ResolveUnknown(user, First, verdict, "key 7", seqs.Length == 0 ? null : seqs));

    private Task<EngineNode> StartAsync(int remembered) => EngineNode.StartAsync(
        Database.Settings.DataFolder, world, Database.Settings.PostgresConnectionString, limits: new UserQueueLimits(MaxFinishedTasks: 1, MaxArchivedTasks: remembered));

    /// <summary>The first task is finished and archived; a command brings it back, and the one that takes its place goes.</summary>
    private async Task<EngineNode> ArchivedAsync(int remembered)
    {
        var node = await StartAsync(remembered);
        await node.AskAsync<Accepted>(Launch(1, 6));
        await FinishedAsync(node, [0, 0, 0, 1, 1, 0, 0, 4]);
        await node.AskAsync<Accepted>(Launch(2, 0));
        await GoneAsync(node);
        return node;
    }

    private Task GoneAsync(EngineNode node) =>
        Eventually.Async(async () => await node.AskAsync<IEdmMessage>(new GetTask(user, First)) is Refused, EngineNode.Timeout, "the first task is archived");

    private QueueTask Launch(int task, int recipients) => new(
        user, new TaskId(task), new PoolId(1), 1, 1, recipients == 0 ? [] : [new Segment(new SeqRange(1, recipients))], rules, UnknownPolicy.Hold, task);

    private Task FinishedAsync(EngineNode node, int[] counts) => Eventually.Async(
        async () => await node.LedgerAsync(user, First) is { Phase: TaskPhase.Finished } ledger && ledger.Counts.SequenceEqual(counts),
        EngineNode.Timeout, "the first task is finished");

    private Task ProjectedAsync(string expected) => Eventually.Async(
        async () => await Database.RunAsync(connection => connection.ExecuteAsync<string>(
            "SELECT state || ' planned=' || planned || ' sent=' || sent || ' failed=' || failed || ' skipped=' || skipped || ' unknown=' || unknown FROM tasks WHERE id = 1")) == expected,
        EngineNode.Timeout, expected);
}
