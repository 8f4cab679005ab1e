using System.Diagnostics;
using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Services.Limits;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>A whole day of a large house in virtual time: what could be sent is sent, everybody gets the same of it, and no limit is broken.</summary>
public sealed class DaySimulationTests(ITestOutputHelper output)
{
    private const int Services = 500;
    private const int Users = 200;

    /// <summary>More than the house can send on that day, so that every user has work all the time.</summary>
    private const int RecipientsAUser = 10_000;

    // On this day clocks go forward in Berlin.
    private static readonly DateTimeOffset Start = new(2026, 3, 29, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = Start.AddDays(1);
    private static readonly string[] Zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Asia/Kolkata"];

    [Fact]
    public void In_a_day_of_500_services_and_200_users_the_capacity_is_used_shared_alike_and_never_exceeded()
    {
        var watch = Stopwatch.StartNew();
        var random = new Random(20_260_329);
        var agenda = new SimAgenda(Start);
        var lane = new SimLaneOfADay(agenda);
        for (var nr = 1; nr <= Services; nr++)
        {
            lane.Add(Terms(nr, random), random);
        }

        for (var nr = 1; nr <= Users; nr++)
        {
            lane.Add(new UserId(nr), RecipientsAUser);
        }

        agenda.RunUntil(End);

        var days = lane.Services.Select(service => (Service: service, Day: new ServiceDay(service.Terms, Start, End))).ToArray();
        Assert.All(days, of => of.Day.CheckAllowed(of.Service.Starts));

        var (capacity, sent) = (days.Sum(of => of.Day.Capacity()), lane.Services.Sum(service => service.Starts.Count));
        var shares = lane.SentByUser.ToArray();
        var jain = Math.Pow(shares.Sum(s => (double)s), 2) / (shares.Length * shares.Sum(s => (double)s * s));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{sent} of {capacity} ({100.0 * sent / capacity:0.00} %), users {shares.Min()} to {shares.Max()}, Jain {jain:0.00000}, in {watch.Elapsed.TotalSeconds:0.0} s"));
        Assert.True(sent >= 0.97 * capacity, $"{sent} mails were sent, and {capacity} could have been");
        Assert.True(jain >= 0.99, $"Jain's index is {jain}");

        // Everybody still had work, so that equal shares were owed; and the ledgers agree with the wire, but for what was on it at the end.
        Assert.True(shares.Max() < RecipientsAUser);
        Assert.InRange(sent - shares.Sum(), 0, lane.InState(RecipientState.Leased));
        Assert.Equal(Users * RecipientsAUser, Enum.GetValues<RecipientState>().Sum(lane.InState));
    }

    private static SimTerms Terms(int nr, Random random)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(Zones[random.Next(Zones.Length)]);
        var windows = random.Next(5) < 2
            ? new[] { new SendingWindow(Enum.GetValues<DayOfWeek>(), new TimeOnly(random.Next(6, 10), 0), new TimeOnly(random.Next(16, 22), 30)) }
            : [];
        var limits = ServiceLimits.None with
        {
            Zone = zone,
            Windows = windows,
            PerHour = random.Next(3) == 0 ? random.Next(30, 90) : null,
            PerDay = random.Next(2) == 0 ? random.Next(300, 1_000) : null,
        };
        var settings = MadeUpWorld.Service(nr, connections: random.Next(1, 4), perMinute: random.Next(1, 3)) with { Limits = limits };

        // Every fifth service breaks down once, for up to three hours.
        var broken = Start.AddMinutes(random.Next(0, 22 * 60));
        return new SimTerms(settings, random.Next(5) == 0 ? [(broken, broken.AddMinutes(random.Next(10, 180)))] : []);
    }
}
