using System.Globalization;
using Edm.Engine.Campaigns;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Campaigns;

public sealed class PoolCapacityTests
{
    private static readonly DayOfWeek[] Workdays = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Fact]
    public void Without_recipients_services_or_knowledge_there_is_no_moment_to_tell()
    {
        Assert.Equal("Nobody waits for a mail.", Say(0, new PoolCapacity(3, [Kind(3, perDay: 100)])));
        Assert.Equal("5 recipients are left; the pool has no enabled service, so nobody can say how long it takes.", Say(5, new PoolCapacity(0, [])));
        Assert.Equal("1 recipient is left; what the pool's 2 services may send is their owner's to know.", Say(1, new PoolCapacity(2, null)));
        Assert.Equal("5 recipients are left; the limits of the pool's one service let all of them go at once.", Say(5, new PoolCapacity(1, [Kind(1)])));
    }

    [Theory]
    [InlineData(null, null, 500, 9_000, "2026-03-06T00:00:00Z", "2026-03-03T00:00:00Z")]
    [InlineData(null, 100, 500, 450, "2026-03-01T14:00:00Z", "2026-03-01T13:00:00Z")]
    [InlineData(10, null, null, 3_600, "2026-03-01T14:00:00Z", "2026-03-01T13:00:00Z")]
    [InlineData(10, 100, null, 3_600, "2026-03-02T00:00:00Z", "2026-03-01T18:00:00Z")]
    [InlineData(null, null, 1, 900, "2026-12-25T00:00:00Z", "2026-07-28T00:00:00Z")]
    public void Three_services_are_done_when_their_quotas_allow_it(int? perMinute, int? perHour, int? perDay, int open, string done, string withSix) => Assert.Equal(
        $"{open.ToString("N0", CultureInfo.InvariantCulture)} recipients are left; by quotas, caps, windows, warm-up and health of the pool's 3 services finished by {done} at the earliest, with 6 of this kind by {withSix} at the earliest.",
        Say(open, new PoolCapacity(3, [Kind(3, perMinute, perHour, perDay)])));

    [Theory]
    // 2026-11-27 is a Friday, and 17:00 in Berlin at 16:00 UTC.
    [InlineData("2026-11-27T16:00:00Z", "2026-11-30T09:00:00Z", "2026-11-27T17:00:00Z")]
    [InlineData("2026-11-27T17:00:00Z", "2026-11-30T10:00:00Z", "2026-11-30T09:00:00Z")]
    public void A_window_that_closes_at_six_leaves_the_rest_to_the_next_workday(string now, string done, string withTwo) => Assert.Equal(
        $"150 recipients are left; by quotas, caps, windows, warm-up and health of the pool's one service finished by {done} at the earliest, with 2 of this kind by {withTwo} at the earliest.",
        Say(150, new PoolCapacity(1, [Of(ServiceLimits.None with { PerHour = 100, Zone = Berlin, Windows = [new SendingWindow(Workdays, new TimeOnly(9, 0), new TimeOnly(18, 0))] })]), now));

    [Theory]
    // 50, 100, 200, 400, 800: on its third day it may send 200.
    [InlineData(200, "all of them go at once")]
    [InlineData(600, "finished by 2026-03-04T00:00:00Z at the earliest, with 2 of this kind by 2026-03-04T00:00:00Z at the earliest")]
    [InlineData(601, "finished by 2026-03-05T00:00:00Z at the earliest, with 2 of this kind by 2026-03-04T00:00:00Z at the earliest")]
    // From its fifth day on only its own quota holds.
    [InlineData(2_800, "finished by 2026-03-06T00:00:00Z at the earliest, with 2 of this kind by 2026-03-05T00:00:00Z at the earliest")]
    public void A_service_on_the_third_day_of_its_warm_up_sends_more_each_day(int open, string expected) => Assert.Contains(
        expected,
        Say(open, new PoolCapacity(1, [Of(ServiceLimits.None with { PerDay = 5_000, WarmUp = new WarmUp(new DateOnly(2026, 3, 1), null, 50, 2, 5) })]), "2026-03-03T12:00:00Z"),
        StringComparison.Ordinal);

    [Fact]
    public void Days_are_those_of_the_zone_also_when_the_clocks_change() => Assert.Contains(
        "finished by 2026-03-29T22:00:00Z at the earliest, with 2 of this kind by 2026-03-28T23:00:00Z at the earliest",
        Say(250, new PoolCapacity(1, [Of(ServiceLimits.None with { PerDay = 100, Zone = Berlin })]), "2026-03-28T12:00:00Z"),
        StringComparison.Ordinal);

    [Fact]
    public void What_today_has_used_up_is_not_counted_on()
    {
        var used = new ServiceCapacity(2, null, ServiceLimits.None with { PerDay = 100 }, leftToday: 30);

        Assert.Contains("let all of them go at once", Say(30, new PoolCapacity(2, [used])), StringComparison.Ordinal);
        Assert.Contains("finished by 2026-03-02T00:00:00Z at the earliest", Say(31, new PoolCapacity(2, [used])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "2026-03-02T00:00:00Z")]
    [InlineData(0.7, "2026-03-03T00:00:00Z")]
    [InlineData(0.5, "2026-03-04T00:00:00Z")]
    public void A_service_that_is_not_well_is_trusted_with_a_part_of_its_quota(double health, string done) => Assert.Contains(
        $"finished by {done} at the earliest",
        Say(200, new PoolCapacity(1, [new ServiceCapacity(1, null, ServiceLimits.None with { PerDay = 100, WarmUp = new WarmUp(new DateOnly(2026, 1, 1), null, 100, 1, 365) }, null, health)])),
        StringComparison.Ordinal);

    [Fact]
    public void Services_that_do_not_work_are_not_counted_on()
    {
        var pool = new PoolCapacity(3, [Kind(2, perHour: 100)]) { Broken = 1 };

        Assert.Contains(
            "health of the pool's 3 services, 1 of which does not work at present, finished by 2026-03-01T15:00:00Z at the earliest, with 4 of this kind by 2026-03-01T14:00:00Z",
            Say(600, pool), StringComparison.Ordinal);
        Assert.Equal("600 recipients are left; of the pool's 3 services none works at present, so nobody can say how long it takes.", Say(600, new PoolCapacity(3, []) { Broken = 3 }));
    }

    [Theory]
    // Of 400 there are 300 at Gmail, and only 100 of those can go in an hour; who is at Yahoo is kept by nothing.
    [InlineData(MailboxProvider.Gmail, 0.75, "finished by 2026-03-01T15:00:00Z at the earliest, with 4 of this kind by 2026-03-01T14:00:00Z")]
    [InlineData(MailboxProvider.Gmail, 0.25, "finished by 2026-03-01T14:00:00Z at the earliest")]
    [InlineData(MailboxProvider.Yahoo, 0.75, "finished by 2026-03-01T14:00:00Z at the earliest")]
    public void Caps_for_a_provider_hold_for_those_of_its_mailboxes_alone(MailboxProvider at, double share, string expected)
    {
        var limits = ServiceLimits.None with { PerHour = 100, Providers = new Dictionary<MailboxProvider, ProviderCap> { [MailboxProvider.Gmail] = new(50, null) } };

        Assert.Contains(
            expected, Say(400, new PoolCapacity(2, [new ServiceCapacity(2, null, limits)]) { Shares = new Dictionary<MailboxProvider, double> { [at] = share } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_day_s_cap_for_a_provider_alone_is_a_limit_too()
    {
        var limits = ServiceLimits.None with { Providers = new Dictionary<MailboxProvider, ProviderCap> { [MailboxProvider.QQ] = new(null, 50) } };
        var pool = new PoolCapacity(1, [Of(limits)]) { Shares = new Dictionary<MailboxProvider, double> { [MailboxProvider.QQ] = 0.5 } };

        Assert.Contains("let all of them go at once", Say(100, pool), StringComparison.Ordinal);
        Assert.Contains("finished by 2026-03-02T00:00:00Z at the earliest", Say(102, pool), StringComparison.Ordinal);
    }

    [Theory]
    // Nobody else; a user with enough to do takes turns, one with little is soon done, and one of three times the weight takes three turns.
    [InlineData(1, new int[0], 0, "T15:00:00Z")]
    [InlineData(1, new[] { 1, 9_000 }, 300, "T18:00:00Z")]
    [InlineData(1, new[] { 1, 50 }, 50, "T16:00:00Z")]
    [InlineData(1, new[] { 3, 9_000 }, 900, "2026-03-02T00:00:00Z")]
    [InlineData(2, new[] { 1, 9_000 }, 150, "T17:00:00Z")]
    [InlineData(1, new[] { 1, 9_000, 1, 100 }, 400, "T19:00:00Z")]
    public void Other_users_of_the_pool_take_their_turns_meanwhile_and_nobody_is_told_how_many_they_have(int weight, int[] others, long meanwhile, string done)
    {
        var work = new OtherWork(weight, 1, [], [.. others.Chunk(2).Select(other => (other[0], (long)other[1]))]);

        var said = Say(300, new PoolCapacity(1, [Kind(1, perHour: 100)]) { Others = work });

        Assert.Equal(meanwhile, work.Meanwhile(300));
        Assert.StartsWith(meanwhile == 0 ? "300 recipients are left; by" : "300 recipients are left, and other tasks on the pool take their turns; by", said, StringComparison.Ordinal);
        Assert.Contains($"{done} at the earliest, with 2", said, StringComparison.Ordinal);
    }

    [Fact]
    public void The_user_s_own_tasks_share_by_priority_before_users_share_by_weight()
    {
        Assert.Equal(0, OtherWork.None.Meanwhile(300));
        Assert.Equal(600, new OtherWork(1, 1, [(2, 9_000)], []).Meanwhile(300));
        Assert.Equal(150, new OtherWork(1, 2, [(1, 9_000)], []).Meanwhile(300));

        // With 20 of its own beside it the user has 320 to send, and the other one as many meanwhile.
        Assert.Equal(20 + 320, new OtherWork(1, 1, [(1, 20)], [(1, 9_000)]).Meanwhile(300));
    }

    [Fact]
    public void Services_of_several_kinds_work_side_by_side() => Assert.Contains(
        "the pool's 3 services finished by 2026-03-01T14:00:00Z at the earliest", Say(500, new PoolCapacity(3, [Kind(2, perHour: 100), Kind(1, perDay: 100)])), StringComparison.Ordinal);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void What_takes_longer_than_a_year_is_not_told_by_the_hour(int perDay) => Assert.Equal(
        "1,000 recipients are left; by quotas, caps, windows, warm-up and health of the pool's one service finished not within a year, with 2 of this kind not within a year.",
        Say(1_000, new PoolCapacity(1, [Kind(1, perDay: perDay)])));

    [Fact]
    public void The_same_state_has_the_same_words()
    {
        var pool = new PoolCapacity(3, [Kind(3, perHour: 100)]);

        Assert.Equal(Say(1_000, pool), Say(1_000, pool));

        // While they send what they may the moment stays: 300 an hour.
        Assert.Equal(Say(1_000, pool, "2026-03-01T12:00:00Z").Split(';')[1], Say(900, pool, "2026-03-01T12:20:00Z").Split(';')[1]);
    }

    private static ServiceCapacity Kind(int count, int? perMinute = null, int? perHour = null, int? perDay = null) =>
        new(count, perMinute, ServiceLimits.None with { PerHour = perHour, PerDay = perDay });

    private static ServiceCapacity Of(ServiceLimits limits) => new(1, null, limits);

    private static string Say(int open, PoolCapacity pool, string now = "2026-03-01T12:00:00Z") => pool.Sentence(open, DateTimeOffset.Parse(now, CultureInfo.InvariantCulture));
}
