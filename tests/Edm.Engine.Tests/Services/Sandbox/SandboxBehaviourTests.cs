using System.Diagnostics;
using Edm.Contracts;
using Edm.Engine.Services;
using Edm.Engine.Services.Sandbox;
using Edm.Engine.Tests.Services.Smtp;
using Xunit;

namespace Edm.Engine.Tests.Services.Sandbox;

public sealed class SandboxBehaviourTests
{
    [Fact]
    public async Task Deferred_mails_are_answered_4xx_at_rcpt_or_at_the_end_and_not_kept()
    {
        var attempts = await SendAsync(new SandboxBehaviour { DeferShare = 1 }, 40);

        Assert.All(attempts, attempt => Assert.Equal(AttemptResult.Deferred, attempt.Result));
        Assert.Equal([450, 451], attempts.Select(attempt => attempt.ReplyCode!.Value).Distinct().Order());
    }

    [Fact]
    public async Task Rejected_mails_are_answered_550()
    {
        var attempts = await SendAsync(new SandboxBehaviour { RejectShare = 1 }, 5);

        Assert.All(attempts, attempt => Assert.Equal((AttemptResult.Rejected, 550, "5.1.1"), (attempt.Result, attempt.ReplyCode, attempt.Enhanced)));
        Assert.DoesNotContain('@', attempts[0].Reply);
    }

    [Theory]
    [InlineData(true, 5)]
    [InlineData(false, 0)]
    public async Task Dropped_mails_get_no_reply_and_are_kept_or_not(bool keep, int kept)
    {
        var attempts = await SendAsync(new SandboxBehaviour { DropShare = 1, KeepDropped = keep }, 5, kept);

        Assert.All(attempts, attempt => Assert.Equal(AttemptResult.Unknown, attempt.Result));
    }

    [Fact]
    public async Task Shares_are_shares()
    {
        var attempts = await SendAsync(new SandboxBehaviour { DeferShare = 0.2, RejectShare = 0.1, DropShare = 0.1 }, 1000, kept: null);
        var counts = attempts.CountBy(attempt => attempt.Result).ToDictionary();

        Assert.InRange(counts[AttemptResult.Deferred], 140, 260);
        Assert.InRange(counts[AttemptResult.Rejected], 60, 140);
        Assert.InRange(counts[AttemptResult.Unknown], 60, 140);
        Assert.InRange(counts[AttemptResult.Accepted], 520, 680);
    }

    [Fact]
    public async Task A_connection_that_is_closed_every_few_mails_costs_no_mail() =>
        Assert.All(await SendAsync(new SandboxBehaviour { DisconnectEvery = 3 }, 20, 20), attempt => Assert.Equal(AttemptResult.Accepted, attempt.Result));

    [Fact]
    public async Task A_slow_sandbox_takes_its_time_for_each_mail()
    {
        var watch = Stopwatch.StartNew();

        await SendAsync(new SandboxBehaviour { Delay = TimeSpan.FromMilliseconds(100) }, 3, 3);

        Assert.True(watch.Elapsed >= TimeSpan.FromMilliseconds(290));
    }

    [Fact]
    public async Task A_login_has_a_behaviour_of_its_own_and_changes_take_effect_at_once()
    {
        await using var sandbox = await SandboxFixture.StartAsync();
        await using var bad = sandbox.Connect("bad");
        await using var good = sandbox.Connect("good");
        sandbox.Behaviours.Set("bad", new SandboxBehaviour { RejectShare = 1 });

        Assert.Equal(AttemptResult.Rejected, (await bad.SendAsync()).Result);
        Assert.Equal(AttemptResult.Accepted, (await good.SendAsync()).Result);

        sandbox.Behaviours.Set("bad", null);
        sandbox.Behaviours.Set(null, new SandboxBehaviour { RejectShare = 1 });
        sandbox.Behaviours.Set("bad", SandboxBehaviour.Good);

        Assert.Equal(AttemptResult.Accepted, (await bad.SendAsync()).Result);
        Assert.Equal(AttemptResult.Rejected, (await good.SendAsync()).Result);
    }

    [Fact]
    public async Task A_seed_makes_the_same_dice_fall_again()
    {
        var behaviour = new SandboxBehaviour { DeferShare = 0.5 };

        var once = await SendAsync(behaviour, 30, kept: null, seed: 7);
        var again = await SendAsync(behaviour, 30, kept: null, seed: 7);

        Assert.Equal(once.Select(attempt => attempt.ReplyCode), again.Select(attempt => attempt.ReplyCode));
        Assert.Contains(once, attempt => attempt.Result == AttemptResult.Accepted);
        Assert.Contains(once, attempt => attempt.Result == AttemptResult.Deferred);
    }

    public static TheoryData<string, SandboxBehaviour> Refused => new()
    {
        { "deferShare", new SandboxBehaviour { DeferShare = -0.1 } },
        { "rejectShare", new SandboxBehaviour { RejectShare = double.NaN } },
        { "dropShare", new SandboxBehaviour { DropShare = 1.1 } },
        { "dropShare", new SandboxBehaviour { DeferShare = 0.5, RejectShare = 0.5, DropShare = 0.5 } },
        { "delay", new SandboxBehaviour { Delay = TimeSpan.FromHours(1) } },
        { "disconnectEvery", new SandboxBehaviour { DisconnectEvery = 0 } },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_can_not_be_is_refused_with_the_name_of_the_field(string field, SandboxBehaviour behaviour) =>
        Assert.Equal(field, Assert.Throws<FieldException>(() => new SandboxBehaviours().Set(null, behaviour)).Field);

    private static async Task<List<Attempt>> SendAsync(SandboxBehaviour behaviour, int mails, int? kept = 0, int? seed = null)
    {
        await using var sandbox = await SandboxFixture.StartAsync(seed: seed);
        sandbox.Behaviours.Set(null, behaviour);
        await using var connection = sandbox.Connect();
        var attempts = new List<Attempt>();
        for (var i = 0; i < mails; i++)
        {
            attempts.Add(await connection.SendAsync(ConnectionFixture.Mail(), "me@a.example", $"{i}@b.example", default));
        }

        if (kept is { } wanted)
        {
            Assert.Equal(new SandboxCount(wanted, wanted, 0), await sandbox.Store.CountAsync(default));
        }

        return attempts;
    }
}
