using Edm.Contracts;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>"A server that accepts TCP and never answers, or never answers after DATA: freed within the deadline, expiry still enforced." The connection alone: SmtpConnectionTests.</summary>
public sealed class Story05SilentServerTests
{
    private static readonly SmtpTransport Transport = new(
        new SmtpTimeouts { Connect = TimeSpan.FromSeconds(1), Command = TimeSpan.FromSeconds(1), Data = TimeSpan.FromSeconds(1) }, () => null, TimeProvider.System);

    [Fact]
    public async Task Mails_that_a_server_without_a_greeting_holds_are_freed_and_go_through_another()
    {
        using var world = new StoryWorld();
        await using var silent = new SilentSmtpServer(SilentFrom.Connect);
        await using var good = new CountingSmtpServer();
        world.Mail.Services.Add(MadeUpWorld.Service(1) with { Port = silent.Port });
        world.Mail.Services.Add(MadeUpWorld.Service(2, connections: 1) with { Port = good.Port });
        await using var node = await world.StartAsync(Transport);

        await node.AskAsync<Accepted>(StoryWorld.Queue(50));

        Assert.Equal(50, (await StoryWorld.FinishedAsync(node)).Counts[(int)RecipientState.Sent]);
        Assert.Equal(50, good.Received.Count);
        Assert.All(good.Received.Values, mails => Assert.Equal(1, mails));
        Assert.True(silent.Silences > 0, "nobody ever tried the silent server");
    }

    [Fact]
    public async Task Mails_whose_end_is_never_answered_are_freed_and_in_doubt_and_not_sent_again()
    {
        using var world = new StoryWorld();
        await using var silent = new SilentSmtpServer(SilentFrom.EndOfData);
        world.Mail.Services.Add(MadeUpWorld.Service(1, connections: 3) with { Port = silent.Port });
        await using var node = await world.StartAsync(Transport);

        await node.AskAsync<Accepted>(StoryWorld.Queue(6));

        Assert.Equal(6, (await StoryWorld.FinishedAsync(node)).Counts[(int)RecipientState.Unknown]);
        Assert.Equal(6, silent.Silences);
    }

    [Fact]
    public async Task Who_is_never_answered_in_time_expires_and_is_not_tried_for_ever()
    {
        using var world = new StoryWorld();
        await using var silent = new SilentSmtpServer(SilentFrom.Mail);
        world.Mail.Services.Add(MadeUpWorld.Service(1) with { Port = silent.Port });
        await using var node = await world.StartAsync(Transport);

        // By its number of tries nobody would ever fail.
        await node.AskAsync<Accepted>(StoryWorld.Queue(4) with { Retry = new RetryRules(MaxAttempts: 1_000, FirstDelaySeconds: 1, MaxDelaySeconds: 1, MaxAgeSeconds: 5) });

        Assert.Equal(4, (await StoryWorld.FinishedAsync(node)).Counts[(int)RecipientState.Failed]);
        Assert.InRange(silent.Silences, 4, 40);
    }
}
