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
    /// <summary>So many aside go back.</summary>
    private const int Crowd = 128;

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
    public async Task Mails_are_offered_to_who_may_send_them_and_wait_for_the_others()
    {
        var select = await RunAsync([.. Mails(10, "gmail.com"), .. Mails(1, "example.com")]);

        select.Tell(new Grant(A, sink.Receiver, MailBindingTests.Standing(gmail: 0, NowMs + 3_600_000), 20));

        Assert.Equal(MailboxProvider.Other, Offered().Provider);
        select.Tell(new Grant(A, sink.Receiver, MailBindingTests.Standing(gmail: 4), 0));
        Assert.Equal([1, 2, 3, 4], Enumerable.Range(0, 4).Select(_ => Offered().Key.Seq));
    }

    [Fact]
    public async Task A_service_that_goes_is_told_when_no_offer_can_be_on_its_way_any_more()
    {
        var select = await RunAsync(Mails(10, "example.com"));

        select.Tell(new SinkNews([new Grant(A, sink.Receiver, MailBindingTests.Standing(gmail: 5), 3)]));
        select.Tell(new SinkNews([new Gone(A, sink.Receiver)]));

        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(_ => Offered().Key.Seq));
        Assert.Equal(new Forgotten(A), sink.Receive(Patience));
        select.Tell(new Grant(B, sink.Receiver, MailBindingTests.Standing(gmail: 5), 1));
        Assert.Equal(4, Offered().Key.Seq);
    }

    [Fact]
    public async Task The_lane_is_told_who_goes_back_until_when_and_what_to_know_the_provider_by()
    {
        var until = NowMs + 3_600_000;
        var select = await RunAsync(Mails(Crowd, "gmail.com"));

        select.Tell(new Grant(A, sink.Receiver, MailBindingTests.Standing(gmail: 0, until), 20));

        var back = Enumerable.Range(0, Crowd).Select(_ => Ended()).ToArray();
        Assert.Equal(Enumerable.Range(1, Crowd), back.Select(mail => mail.Seq));
        Assert.All(back, mail => Assert.Equal((OutcomeKind.Postponed, until, (int)MailboxProvider.Gmail), (mail.Kind, mail.NotBeforeMs, mail.Provider)));
    }

    [Fact]
    public async Task The_lane_is_told_when_another_service_may_have_a_mail_that_one_was_refused_with()
    {
        var select = await RunAsync([]);
        var mail = Mails(1, "gmail.com")[0];
        var ended = new EndedMail(mail.Key.User, mail.Ended(OutcomeKind.Deferred, NowMs, A).Outcome with { Unwanted = true });

        select.Tell(new Grant(A, sink.Receiver, MailBindingTests.Standing(gmail: 5), 1));
        select.Tell(new Unwanted(mail, A, ended));
        select.Tell(new Grant(B, sink.Receiver, MailBindingTests.Standing(gmail: 5), 1));
        select.Tell(new Unwanted(mail, A, ended));

        Assert.Equal([null, NowMs], new[] { Ended().ElsewhereMs, Ended().ElsewhereMs });
    }

    private static Mail[] Mails(int n, string domain) => [.. Enumerable.Range(1, n).Select(seq => new Mail(
        new MailKey(new UserId(1), new LeaseNr(2), seq), new TaskContext(new TaskId(4), new UserId(1), new CampaignId(5), 1, new TemplateId(6), 1, new PoolId(7)), 1,
        new ContactCard(new ContactId(seq), $"r{seq}@{domain}", null, null, null, null, null, null, null, new Dictionary<string, string>())))];

    private async Task<IActorRef> RunAsync(Mail[] mails) => await Source.From(mails).Concat(Source.Never<Mail>())
        .ToMaterialized(Sink.FromGraph(new SelectService(lane.Receiver, time)), Keep.Right).Run(system.Materializer());

    private Mail Offered() => Assert.IsType<Offer>(sink.Receive(Patience)).Mail;

    private Outcome Ended() => Assert.IsType<MailEnded>(lane.Receive(Patience)).Mail.Outcome;
}
