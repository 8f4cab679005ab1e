using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class MailBindingTests
{
    private const long Now = 1_767_323_045_000;
    private const long Hour = 3_600_000;

    /// <summary>So many aside are a crowd, and so many of a provider stay if it opens soon.</summary>
    private const int Crowd = 128;
    private const int Stay = 16;

    private static readonly ServiceId A = new(1);
    private static readonly ServiceId B = new(2);

    private readonly List<(int Seq, ServiceId Service)> bound = [];
    private readonly List<(int Seq, long NotBefore)> back = [];
    private readonly MailBinding<Waiting> binding;

    public MailBindingTests() => binding = new MailBinding<Waiting>((mail, service, _) => bound.Add((mail.Seq, service)), (mail, at) => back.Add((mail.Seq, at)));

    [Fact]
    public void Mails_whose_provider_is_at_its_cap_wait_aside_and_hold_up_nobody_else()
    {
        Grant(A, gmail: 0, Now + Hour);
        Bind(10);
        binding.Bind(new Waiting(11, MailboxProvider.Other), Now);

        Assert.Equal([(11, A)], bound);
        Grant(A, gmail: 4, credits: 0);
        Assert.Equal([11, 1, 2, 3, 4], bound.Select(b => b.Seq));
        Assert.Empty(back);
    }

    [Fact]
    public void A_crowd_goes_back_until_the_cap_allows_it()
    {
        Grant(A, gmail: 0, Now + Hour);
        Bind(Crowd - 1);
        Assert.Empty(back);
        Bind(1);

        Assert.Equal(Enumerable.Repeat(Now + Hour, Crowd), back.Select(mail => mail.NotBefore));
        Assert.True(binding.WantsMore);
    }

    [Fact]
    public void Who_waits_aside_for_long_goes_back_without_a_crowd_and_not_while_nobody_has_credit()
    {
        Grant(A, gmail: 0, Now + Hour);
        Bind(3);
        binding.GiveBack(Now + 4_999);
        Assert.Empty(back);

        binding.Credits.Revoke(A);
        binding.GiveBack(Now + 5_000);
        Assert.Empty(back);

        Grant(A, gmail: 0, Now + Hour);
        binding.GiveBack(Now + 5_000);
        Assert.Equal(3, back.Count);
    }

    [Fact]
    public void Of_a_crowd_whose_provider_opens_soon_some_stay_and_are_there_when_it_does()
    {
        Grant(A, gmail: 0, Now + 2_000, everyMs: 200);
        Bind(Crowd);

        // The others come again when those are gone at that pace.
        Assert.Equal(Enumerable.Range(Stay + 1, Crowd - Stay).Select(seq => (seq, Now + (Stay * 200L))), back);
        Grant(A, gmail: Stay + 1, credits: 0);
        Assert.Equal(Enumerable.Range(1, Stay), bound.Select(b => b.Seq));
    }

    [Fact]
    public void Who_was_tried_already_comes_back_one_after_the_other_at_the_pace_of_a_slow_provider()
    {
        Grant(A, gmail: 0, Now + 60_000, everyMs: 1_000);
        Bind(Crowd, attempt: 2);

        Assert.Equal(Enumerable.Range(0, Crowd).Select(i => Now + 60_000 + (i * 1_000L)), back.Select(mail => mail.NotBefore));
    }

    [Fact]
    public void Where_another_service_has_room_and_only_lacks_a_credit_nobody_is_sent_away_for_long()
    {
        Grant(B, gmail: 5, credits: 0);
        Grant(A, gmail: 0, Now + Hour);
        Bind(Crowd);

        Assert.Equal(Enumerable.Repeat(Now + 1_000, Crowd - Stay), back.Select(mail => mail.NotBefore));
    }

    [Fact]
    public void Of_a_service_that_does_not_work_nobody_knows_when_it_is_back_so_who_waits_asks_again()
    {
        Grant(B, gmail: 0, Now + Hour);
        binding.Credits.Revoke(B);
        Grant(A, gmail: 0, Now + Hour);
        Bind(Crowd);

        Assert.All(back, mail => Assert.InRange(mail.NotBefore, Now + 60_000, Now + 600_000));
    }

    [Fact]
    public void Whom_one_service_was_refused_goes_elsewhere_as_soon_as_another_may_send_there()
    {
        Grant(A, gmail: 5);
        Assert.Null(binding.ElsewhereMs(Gmail(1), A, Now));

        Grant(B, gmail: 0, Now + Hour);
        Assert.Equal(Now + Hour, binding.ElsewhereMs(Gmail(1), A, Now));

        Grant(B, gmail: 5);
        Assert.Equal(Now, binding.ElsewhereMs(Gmail(1), A, Now));
        Assert.Null(binding.ElsewhereMs(Gmail(1) with { RefusedBy = [B] }, A, Now));

        binding.Credits.Revoke(B);
        Assert.Null(binding.ElsewhereMs(Gmail(1), A, Now));
    }

    [Fact]
    public void Whom_a_service_was_refused_waits_for_one_that_was_not_and_holds_up_nobody()
    {
        Grant(B, gmail: 5, credits: 0);
        Grant(A, gmail: 5);
        binding.Bind(Gmail(1) with { RefusedBy = [A] }, Now);
        binding.Bind(Gmail(2), Now);
        Assert.Equal([(2, A)], bound);

        Grant(B, gmail: 5, credits: 1);
        Assert.Equal([(2, A), (1, B)], bound);
    }

    [Fact]
    public void A_crowd_that_waits_for_another_service_goes_back_too()
    {
        Grant(B, gmail: 5, credits: 0);
        Grant(A, gmail: 500);
        Bind(Crowd, refusedBy: A);

        Assert.Empty(bound);
        Assert.Equal(Crowd - Stay, back.Count);
    }

    [Fact]
    public void Where_no_other_service_may_the_one_that_was_refused_tries_again()
    {
        Grant(B, gmail: 0, Now + Hour);
        Grant(A, gmail: 5);

        binding.Bind(Gmail(1) with { RefusedBy = [A] }, Now);

        Assert.Equal([(1, A)], bound);
    }

    private static Waiting Gmail(int seq) => new(seq, MailboxProvider.Gmail);

    private void Bind(int mails, int attempt = 1, params ServiceId[] refusedBy)
    {
        for (var i = 0; i < mails; i++)
        {
            binding.Bind(Gmail(i + 1) with { Attempt = attempt, RefusedBy = refusedBy }, Now);
            binding.Go(Now);
        }
    }

    private void Grant(ServiceId service, int gmail, long nextMs = 0, double everyMs = 0, int credits = 300)
    {
        binding.Credits.Weights = new SelectionWeights(0, 0, 1, 0);
        binding.Credits.Grant(service, Standing(gmail, nextMs, everyMs), credits);
        binding.Go(Now);
    }

    internal static Standing Standing(int gmail, long nextMs = 0, double everyMs = 0) => new(
        1_000, 1, 1,
        [.. Enumerable.Range(0, MailboxProviders.Count).Select(i =>
            (MailboxProvider)i == MailboxProvider.Gmail ? new ProviderStanding(gmail, 1, nextMs, everyMs) : new ProviderStanding(int.MaxValue, 1, 0))]);

    private sealed record Waiting(int Seq, MailboxProvider Provider) : IMailToBind
    {
        public int Attempt { get; init; } = 1;

        public ServiceId[] RefusedBy { get; init; } = [];
    }
}
