using Edm.Contracts;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Replies;
using Edm.Engine.Tests.Dispatch;
using Edm.Engine.Tests.Dispatch.Simulation.Day;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "Deferrals never spend quota twice; quota returns at midnight of the service's zone, also over a daylight-saving change, with nobody touching anything." Three days
/// in virtual time, through the real queue, lane and gate.
/// </summary>
public sealed class Story06QuotaAtMidnightTests
{
    private const int PerDay = 20;
    private static readonly UserId User = new(1);

    [Theory]
    [InlineData("Europe/Berlin", "2026-03-28T11:00:00Z", new[] { "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z" })]
    [InlineData("Europe/Berlin", "2026-10-24T10:00:00Z", new[] { "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z" })]
    [InlineData("America/New_York", "2026-03-07T12:00:00Z", new[] { "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", "2026-03-10T04:00:00Z" })]
    public void The_quota_of_a_day_returns_at_midnight_of_the_zone_and_every_start_spends_one_of_it(string zone, string from, string[] midnights)
    {
        var start = At(from);
        var agenda = new SimAgenda(start);
        var lane = new SimLaneOfADay(agenda);
        var limits = ServiceLimits.None with { PerDay = PerDay, Zone = TimeZoneInfo.FindSystemTimeZoneById(zone) };
        lane.Add(
            new SimTerms(MadeUpWorld.Service(1, connections: 3) with { Limits = limits }, [])
            {
                // Every third recipient is put off once; a provider counts both tries, and so do we, once each.
                Answer = mail => mail is { Attempt: 1 } && mail.Seq % 3 == 0 ? new ServiceAnswer(OutcomeKind.Deferred, ReplyClass.ServiceFault, ReplyAction.Retry, 451) : ServiceAnswer.Taken,
            },
            new Random(6));
        lane.Add(User, recipients: 1_000);

        agenda.RunUntil(At(midnights[^1]).AddHours(10));

        var starts = lane.Services.Single().Starts;
        DateTimeOffset[] days = [start, .. midnights.Select(At)];
        for (var day = 0; day < days.Length; day++)
        {
            var ofDay = starts.Where(at => at >= days[day] && (day + 1 == days.Length || at < days[day + 1])).ToArray();
            Assert.Equal(PerDay, ofDay.Length);
            Assert.InRange(ofDay[0] - days[day], TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }

        // What was put off is among those that were sent later, and nobody was started more often than that.
        var ledger = lane.Of(User);
        Assert.InRange(ledger.Count(RecipientState.Sent), (days.Length * PerDay * 2 / 3) - 3, days.Length * PerDay);
        Assert.Equal(1_000, ledger.Counts().Sum());
    }

    private static DateTimeOffset At(string moment) => DateTimeOffset.Parse(moment, System.Globalization.CultureInfo.InvariantCulture);
}
