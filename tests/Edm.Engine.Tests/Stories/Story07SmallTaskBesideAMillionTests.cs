using Edm.Contracts;
using Edm.Engine.Tests.Dispatch;
using Edm.Engine.Tests.Dispatch.Simulation.Day;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "User A has a throttled million-recipient task; user B's 10 mails all leave within 1 s (p99 over 50 trials)." In virtual time, where a second is a second on any machine;
/// the benchmark <c>wait</c> measures it with a real daemon. A pool that takes less than some 80 mails
/// a second needs longer for the turns of ten mails.
/// </summary>
public sealed class Story07SmallTaskBesideAMillionTests
{
    private const int Trials = 50;
    private const int Mails = 10;
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 8, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(100, 60)]
    [InlineData(100, 120)]
    [InlineData(20, 600)]
    public void Ten_mails_leave_within_a_second_although_a_million_wait_for_every_credit(int services, int perMinute)
    {
        var agenda = new SimAgenda(Start);
        var last = new Dictionary<UserId, DateTimeOffset>();
        var (others, million) = (0, new UserId(1));
        var lane = new SimLaneOfADay(agenda)
        {
            OnTheWire = mail =>
            {
                last[mail.User] = agenda.Now;
                others += mail.User == million ? 1 : 0;
            },
        };
        for (var nr = 1; nr <= services; nr++)
        {
            // Services that begin in the same moment would have their credits in the same moments, and none between.
            var service = nr;
            agenda.After(nr * 60_000L / perMinute / services, () => lane.Add(new SimTerms(MadeUpWorld.Service(service, connections: 10, perMinute: perMinute), []), new Random(service)));
        }

        lane.Add(million, recipients: 1_000_000);
        agenda.RunUntil(Start.AddMinutes(1));

        var waits = new List<TimeSpan>();
        for (var trial = 0; trial < Trials; trial++)
        {
            var (user, launched) = (new UserId(100 + trial), agenda.Now);
            lane.Add(user, Mails);
            agenda.RunUntil(launched.AddMilliseconds(2_770));
            Assert.Equal(Mails, lane.Of(user).Count(RecipientState.Sent));
            waits.Add(last[user] - launched);
        }

        // Of 50 the 99th of a hundred is the slowest.
        Assert.True(waits.Max() < TimeSpan.FromSeconds(1), $"the slowest took {waits.Max().TotalMilliseconds} ms, half of them {waits.Order().ElementAt(Trials / 2).TotalMilliseconds} ms");

        // And nothing was left unused for it.
        var minutes = (agenda.Now - Start).TotalMinutes;
        Assert.InRange(others + (Trials * Mails), 0.95 * (minutes - 1) * services * perMinute, minutes * services * perMinute);
    }
}
