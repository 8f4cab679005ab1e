using Edm.Contracts;
using Edm.Engine.Services.Limits;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>A user whose list begins with recipients of one provider, to which hardly anything may be sent, in virtual time.</summary>
public sealed class CappedProviderTests(ITestOutputHelper output)
{
    private const int Others = 100;
    private const int PerHour = 50;

    private static readonly UserId User = new(1);
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Some, and more than a queue keeps retries.</summary>
    [Theory]
    [InlineData(1_000)]
    [InlineData(30_000)]
    public void Nobody_waits_behind_a_provider_that_is_capped_and_all_of_its_hour_is_used(int capped)
    {
        var agenda = new SimAgenda(Start);
        var started = new List<(DateTimeOffset At, int Seq)>();
        var lane = new SimLaneOfADay(agenda)
        {
            ProviderOf = seq => seq <= capped ? MailboxProvider.Gmail : MailboxProvider.Other,
            OnTheWire = mail => started.Add((agenda.Now, mail.Seq)),
        };
        var limits = ServiceLimits.None with { Providers = new Dictionary<MailboxProvider, ProviderCap> { [MailboxProvider.Gmail] = new(PerHour, null) } };
        lane.Add(new SimTerms(MadeUpWorld.Service(1) with { Limits = limits }, []), new Random(1));
        lane.Add(User, capped + Others);

        agenda.RunUntil(Start.AddMinutes(2));
        Assert.Equal(Others, started.Count(mail => mail.Seq > capped));
        Assert.Equal(PerHour, started.Count(mail => mail.Seq <= capped));

        agenda.RunUntil(Start.AddHours(6));
        Assert.InRange(started.Count, Others + (5 * PerHour), Others + (6 * PerHour));
        Assert.Equal(started.Count, started.Select(mail => mail.Seq).Distinct().Count());
        Assert.Equal(capped + Others, Enum.GetValues<RecipientState>().Sum(lane.InState));
        Assert.Equal((started.Count, 0), (lane.InState(RecipientState.Sent), lane.InState(RecipientState.PendingRetry)));

        // Everybody once, and some batches each time that it opens: here a lane gets them faster than it can say that they are too many.
        output.WriteLine($"{lane.GivenBack} of {capped} went back");
        Assert.InRange(lane.GivenBack, capped - PerHour - 128, capped + (6 * 1_200));
    }
}
