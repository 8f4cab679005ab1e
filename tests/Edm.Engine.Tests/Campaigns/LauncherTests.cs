using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Contacts;
using Edm.Engine.Queues;
using Edm.Engine.Settings;
using Edm.Testing;
using Edm.Testing.Databases;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

/// <summary>The Launcher between a real database and queues that do as they are told.</summary>
public abstract class LauncherTests : DatabaseTests
{
    private readonly ManualTime clock = new();
    private readonly ActorSystem system = ActorSystem.Create("launcher-tests", "akka.stdout-loglevel = OFF\nakka.loglevel = OFF");
    private readonly MadeUpQueues queues = new();

    protected LauncherTests(IDatabases databases)
        : base(databases) => Time = clock;

    private LaunchStore Launches => new(Database, SendingSettings.Default, Time);
    private TaskStore Tasks => new(Database, Time);
    private TaskReader Reader => new(Tasks, new RecipientStore(Database), Queue);
    private TaskQueue Queue => new(queues, Settings);
    private Launcher Launcher => new(Launches, Queue, Time, NullLogger<Launcher>.Instance);

    /// <summary>A queue that does not answer shall not cost a test ten seconds.</summary>
    private static EdmSettings Settings { get; } = Short(EdmSettings.Read(
        new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), new Dictionary<string, string?> { ["EDM_ENVIRONMENT"] = "test" }.GetValueOrDefault).Load()));

    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        queues.ActorRef = system.ActorOf(Props.Create(() => new Region(queues)));
    }

    public override async Task DisposeAsync()
    {
        await system.Terminate();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_task_that_its_queue_has_runs_and_is_offered_no_more()
    {
        var (user, task) = await LaunchedAsync();

        Assert.False(await Launcher.TurnAsync(default));
        clock.Advance(TimeSpan.FromHours(1));
        await Launcher.TurnAsync(default);

        Assert.Equal(TaskStates.Running, (await Tasks.FindAsync(user, task, default))!.State);
        Assert.Equal(1, queues.Offers(task));
    }

    [Fact]
    public async Task A_task_that_its_queue_refuses_is_over_and_tells_its_owner_why()
    {
        var (user, task) = await LaunchedAsync(recipients: 3);
        queues.Answers = _ => new Refused(RefusalCode.Invalid, "A priority is a number from 1 to 100.");

        await Launcher.TurnAsync(default);
        clock.Advance(TimeSpan.FromHours(1));
        await Launcher.TurnAsync(default);

        Assert.Equal(1, queues.Offers(task));
        var standing = (await Reader.FindAsync(user, task, default))!;
        Assert.Equal(TaskStates.Refused, standing.State);
        Assert.Equal("The task's queue refused it: A priority is a number from 1 to 100.", standing.Why(new PoolCondition(1, 1, 0, null)));
        Assert.Equal((3, 3, 0), (standing.Counts.Sum(), standing.Of(RecipientState.Cancelled), standing.Open));
        Assert.Equal(TaskStates.Refused, Assert.Single(await Tasks.ListAsync(user, default, 10, default)).State);
        var (recipients, _) = (await Reader.RecipientsAsync(user, task, RecipientState.Cancelled, 0, 10, default))!.Value;
        Assert.Equal(3, recipients.Count);
    }

    [Fact]
    public async Task A_command_for_a_refused_task_is_refused_with_the_same_reason()
    {
        var (user, task) = await LaunchedAsync();
        queues.Answers = _ => new Refused(RefusalCode.Forgotten, "too old");
        var control = new TaskControl(Tasks, Queue, Launcher, SendingSettings.Default);

        // The first while it is launching, the second when it is known to be refused.
        for (var n = 0; n < 2; n++)
        {
            var conflict = await Assert.ThrowsAsync<ConflictException>(() => control.CommandAsync(user, task, (u, t) => new PauseTask(u, t), default));
            Assert.Equal("The task's queue refused it: too old", conflict.Message);
        }

        Assert.Equal(1, queues.Offers(task));
    }

    [Fact]
    public async Task A_hundred_tasks_that_do_not_get_through_do_not_hold_up_the_one_behind_them()
    {
        var (user, first) = await LaunchedAsync();
        var stuck = new HashSet<TaskId> { first };
        for (var round = 2; round <= 101; round++)
        {
            clock.Advance(TimeSpan.FromMilliseconds(1));
            stuck.Add(await AnotherAsync(round));
        }

        var last = stuck.MaxBy(task => task.Value);
        stuck.Remove(last);
        queues.Answers = offer => stuck.Contains(offer.Task) ? offer.Task.Value % 2 == 0 ? null : new Batch(user, default, 0, 0, null, default, [], [], false) : new Accepted(1);

        var turns = 1;
        for (var launcher = Launcher; await launcher.TurnAsync(default); turns++)
        {
            Assert.True(turns < 10, "the same tasks are taken again and again");
        }

        Assert.Equal(TaskStates.Running, (await Tasks.FindAsync(user, last, default))!.State);
        Assert.Equal(4, turns);
        Assert.All(stuck, task => Assert.Equal(1, queues.Offers(task)));

        // They are not given up: when their queues answer they run.
        queues.Answers = _ => new Accepted(1);
        clock.Advance(TimeSpan.FromSeconds(3));
        while (await Launcher.TurnAsync(default))
        {
        }

        Assert.All(await Tasks.ListAsync(user, default, 200, default), task => Assert.Equal(TaskStates.Running, task.State));
        Assert.Equal(1, queues.Offers(last));
    }

    [Fact]
    public async Task What_does_not_get_through_is_tried_more_and_more_seldom_and_its_owner_is_told()
    {
        var (user, task) = await LaunchedAsync();
        List<double> waits = [];
        for (var n = 0; n < 9; n++)
        {
            Assert.Equal(task, Assert.Single(await Launches.TakeAsync(10, default)).Task);
            var next = (await Tasks.FindAsync(user, task, default))!.NextLaunchAt!.Value;
            waits.Add((next - clock.GetUtcNow()).TotalSeconds);
            clock.Advance(next - clock.GetUtcNow() - TimeSpan.FromMilliseconds(1));
            Assert.Empty(await Launches.TakeAsync(10, default));
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal([3, 6, 12, 24, 48, 96, 120, 120, 120], waits);
        Assert.Equal(
            "The task is being handed to its queue, which did not answer so far (9 tries, the next at 2026-01-02T03:13:14Z).",
            (await Reader.FindAsync(user, task, default))!.Why(new PoolCondition(1, 1, 0, null)));
    }

    [Fact]
    public async Task A_task_carries_the_same_launch_each_time_and_later_launches_of_its_user_are_later_also_when_the_clock_was_set_back()
    {
        var (user, first) = await LaunchedAsync();
        var launchedAt = (await Launches.FindAsync(first, default))!.LaunchedAtMs;
        Assert.Equal(clock.GetUtcNow().ToUnixTimeMilliseconds(), launchedAt);

        clock.Advance(TimeSpan.FromDays(-1));
        var campaign = await CampaignAsync(user);
        await new AudienceStore(Database, Time).FreezeAsync(user, campaign, default);
        var second = (await Tasks.LaunchAsync(user, campaign, default))!.Value;

        Assert.Equal(launchedAt + 1, (await Launches.FindAsync(second, default))!.LaunchedAtMs);
        Assert.Equal(second, Assert.Single(await Launches.TakeAsync(10, default)).Task);
        clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(launchedAt, (await Launches.TakeAsync(10, default)).Single(offer => offer.Task == first).LaunchedAtMs);
    }

    private async Task<(UserId User, TaskId Task)> LaunchedAsync(int recipients = 1)
    {
        var user = await AddUserAsync();
        await ExecuteAsync("INSERT INTO templates (user_id, name, version, created_at, updated_at) VALUES (@user, 't', 1, 0, 0)", new DataParameter("user", user.Value));
        await ExecuteAsync("INSERT INTO pools (user_id, name, lanes, created_at) VALUES (@user, 'p', 1, 0)", new DataParameter("user", user.Value));
        for (var n = 1; n <= recipients; n++)
        {
            var email = $"r{n}@example.com";
            await AddContactAsync(new ContactRow { UserId = user, Email = email, EmailKey = email, Attributes = "{}", Status = "active" });
        }

        var campaign = await CampaignAsync(user);
        await new AudienceStore(Database, Time).FreezeAsync(user, campaign, default);
        return (user, (await Tasks.LaunchAsync(user, campaign, default))!.Value);
    }

    private async Task<CampaignId> CampaignAsync(UserId user) => (await new CampaignStore(Database, Time).CreateAsync(
        user, new CampaignPlan("campaign", new TemplateId(await IdAsync("templates")), new PoolId(await IdAsync("pools")), "", 1), default)).Id;

    /// <summary>A task like the one that is there, launched now.</summary>
    private async Task<TaskId> AnotherAsync(int round) => new(await Database.RunAsync(connection => connection.ExecuteAsync<long>(
        """
        INSERT INTO tasks (user_id, campaign_id, round, template_id, template_version, pool_id, priority, planned, state, created_at, launched_at, launch_at)
        SELECT user_id, campaign_id, @round, template_id, template_version, pool_id, priority, planned, 'launching', @now, @now, @now FROM tasks WHERE round = 1
        RETURNING id
        """,
        new DataParameter("round", round), new DataParameter("now", clock.GetUtcNow().ToUnixTimeMilliseconds()))));

    private Task<long> IdAsync(string table) => Database.RunAsync(c => c.ExecuteAsync<long>($"SELECT min(id) FROM {table}"));

    private Task<int> ExecuteAsync(string sql, params DataParameter[] parameters) => Database.RunAsync(c => c.ExecuteAsync(sql, parameters));

    private static EdmSettings Short(EdmSettings settings) => settings with { Http = settings.Http with { AskTimeout = TimeSpan.FromMilliseconds(300) } };

    private sealed class MadeUpQueues : IRequiredActor<UserQueueRegion>
    {
        private readonly ConcurrentDictionary<TaskId, int> offers = [];

        /// <summary>Null: none comes.</summary>
        public Func<QueueTask, IEdmMessage?> Answers { get; set; } = _ => new Accepted(1);

        public IActorRef ActorRef { get; set; } = ActorRefs.Nobody;

        public Task<IActorRef> GetAsync(CancellationToken cancellationToken = default) => Task.FromResult(ActorRef);

        public int Offers(TaskId task) => offers.GetValueOrDefault(task);

        public IEdmMessage? Answer(QueueTask offer)
        {
            offers.AddOrUpdate(offer.Task, 1, (_, n) => n + 1);
            return Answers(offer);
        }
    }

    private sealed class Region : ReceiveActor
    {
        public Region(MadeUpQueues queues) => Receive<QueueTask>(offer =>
        {
            if (queues.Answer(offer) is { } answer)
            {
                Sender.Tell(answer);
            }
        });
    }
}

public sealed class LauncherTestsOnSqlite() : LauncherTests(new SqliteDatabases());

[Collection(PostgresFixture.Collection)]
public sealed class LauncherTestsOnPostgres(PostgresFixture postgres) : LauncherTests(new PostgresDatabases(postgres));
