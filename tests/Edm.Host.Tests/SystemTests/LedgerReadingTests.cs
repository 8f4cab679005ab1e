using Edm.Testing.Host;

namespace Edm.Host.Tests.SystemTests;

public sealed class LedgerReadingTests
{
    [Fact]
    public void A_reading_that_adds_up_is_no_lie() => Assert.Null(Lie(Reading("running", waiting: 60, sent: 40)));

    [Fact]
    public void A_recipient_in_no_state_is_a_lie() => Assert.Contains("add up to 99", Lie(Reading("running", waiting: 59, sent: 40)), StringComparison.Ordinal);

    [Fact]
    public void A_mail_that_is_sent_and_never_arrived_is_a_lie() => Assert.Contains("arrived", Lie(Reading("running", waiting: 60, sent: 40), received: 39), StringComparison.Ordinal);

    [Fact]
    public void A_finished_task_with_somebody_waiting_is_a_lie() => Assert.Contains("work left", Lie(Reading("finished", waiting: 1, sent: 99)), StringComparison.Ordinal);

    [Fact]
    public void A_mail_that_is_not_sent_any_more_is_a_lie() =>
        Assert.Contains("'sent' went down", Lie(Reading("running", waiting: 61, sent: 39), before: Reading("running", waiting: 60, sent: 40)), StringComparison.Ordinal);

    private static string? Lie(TaskView seen, TaskView? before = null, int received = 100) => LedgerReading.Lie(seen, before, planned: 100, received);

    private static TaskView Reading(string state, int waiting, int sent) =>
        new(1, state, 100, new Dictionary<string, int> { ["waiting"] = waiting, ["sent"] = sent }, RatePerSecond: null, Why: null);
}
