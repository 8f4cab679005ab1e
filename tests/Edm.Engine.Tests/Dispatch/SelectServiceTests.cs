using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class SelectServiceTests : IAsyncDisposable
{
    private const int Aside = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly ServiceId A = new(1);
    private static readonly ServiceId B = new(2);

    private readonly ActorSystem system = ActorSystem.Create("select");
    private readonly ManualTime time = new();
    private readonly Inbox lane;
    private readonly Inbox sink;

    public SelectServiceTests() => (lane, sink) = (Inbox.Create(system), Inbox.Create(system));

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

    public async ValueTask DisposeAsync() => await system.Terminate();

    [Fact]
    public async Task Mails_whose_provider_is_at_its_cap_wait_aside_and_hold_up_nobody_else()
    {
        var select = await RunAsync([.. Mails(10, "gmail.com"), .. Mails(1, "example.com")]);

        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 0, NowMs + 3_600_000), 20));

        Assert.Equal(MailboxProvider.Other, Offered().Provider);
        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 4), 0));
        Assert.Equal([1, 2, 3, 4], Enumerable.Range(0, 4).Select(_ => Offered().Key.Seq));
    }

    [Fact]
    public async Task When_many_wait_aside_they_go_back_until_the_cap_allows_them()
    {
        var until = NowMs + 3_600_000;
        var select = await RunAsync(Mails(Aside, "gmail.com"));

        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 0, until), 20));

        var back = Back();
        Assert.Equal(Enumerable.Range(1, Aside), back.Select(mail => mail.Seq));
        Assert.All(back, mail => Assert.Equal((OutcomeKind.Postponed, until), (mail.Kind, mail.NotBeforeMs)));
    }

    [Fact]
    public async Task Who_waits_for_a_slow_provider_comes_back_one_after_the_other_at_its_pace()
    {
        var until = NowMs + 60_000;
        var select = await RunAsync(Mails(Aside, "gmail.com"));

        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 0, until, everyMs: 1_000), 20));

        Assert.Equal(Enumerable.Range(0, Aside).Select(i => (long?)until + (i * 1_000)), Back().Select(mail => mail.NotBeforeMs));
    }

    [Fact]
    public async Task Where_another_service_has_room_and_only_lacks_a_credit_nobody_is_sent_away_for_long()
    {
        var select = await RunAsync(Mails(Aside, "gmail.com"));

        select.Tell(new Grant(B, sink.Receiver, Standing(gmail: 5), 0));
        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 0, NowMs + 3_600_000), 20));

        Assert.All(Back(), mail => Assert.InRange(mail.NotBeforeMs!.Value, NowMs, NowMs + 10_000));
    }

    [Fact]
    public async Task Of_a_service_that_does_not_work_nobody_knows_when_it_is_back_so_who_waits_asks_again()
    {
        var select = await RunAsync(Mails(Aside, "gmail.com"));

        select.Tell(new Grant(B, sink.Receiver, Standing(gmail: 5), 1));
        Offered();
        select.Tell(new Revoke(B));
        select.Tell(new Grant(A, sink.Receiver, Standing(gmail: 0, NowMs + 3_600_000), 20));
        select.Tell(new Rebound(Mails(1, "gmail.com")[0]));

        Assert.All(Back(), mail => Assert.InRange(mail.NotBeforeMs!.Value, NowMs + 60_000, NowMs + 600_000));
    }

    private static Mail[] Mails(int n, string domain) => [.. Enumerable.Range(1, n).Select(seq => new Mail(
        new MailKey(new UserId(1), new LeaseNr(2), seq), new TaskContext(new TaskId(4), new UserId(1), new CampaignId(5), 1, new TemplateId(6), 1, new PoolId(7)), 1,
        new ContactCard(new ContactId(seq), $"r{seq}@{domain}", null, null, null, null, null, null, null, new Dictionary<string, string>())))];

    private static Standing Standing(int gmail, long nextMs = 0, double everyMs = 0) => new(
        1_000, 1, 1,
        [.. Enumerable.Range(0, MailboxProviders.Count).Select(i =>
            (MailboxProvider)i == MailboxProvider.Gmail ? new ProviderStanding(gmail, 1, nextMs, everyMs) : new ProviderStanding(int.MaxValue, 1, 0))]);

    private async Task<IActorRef> RunAsync(Mail[] mails) => await Source.From(mails).Concat(Source.Never<Mail>())
        .ToMaterialized(Sink.FromGraph(new SelectService(lane.Receiver, time)), Keep.Right).Run(system.Materializer());

    private Mail Offered() => Assert.IsType<Offer>(sink.Receive(Patience)).Mail;

    private Outcome[] Back() => [.. Enumerable.Range(0, Aside).Select(_ => Assert.IsType<MailEnded>(lane.Receive(Patience)).Mail.Outcome)];
}
