using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;

namespace Edm.Host.Tests.SystemTests;

/// <summary>The account at the end: every recipient in one state, nobody mailed twice, nobody lost, and each single line of the ledger in accord with what arrived.</summary>
internal static class LedgerAccount
{
    public static async Task BalancesAsync(EdmClient api, RunningCampaign campaign, CountingSmtpServer server, int mostUnknown)
    {
        var task = await api.TaskAsync(campaign.Task);
        Assert.Equal("finished", task.State);
        Assert.Equal(campaign.Planned, task.Planned);
        Assert.Equal(campaign.Planned, task.Sum);
        Assert.Equal(campaign.Planned - task.Of("skipped"), task.Of("sent") + task.Of("unknown"));
        Assert.True(task.Of("unknown") <= mostUnknown, $"{task.Of("unknown")} are unknown and at most {mostUnknown} can be: {task}");

        var twice = server.Received.Where(r => r.Value > 1).Select(r => $"{r.Key} {r.Value}x").ToArray();
        Assert.True(twice.Length == 0, $"{twice.Length} addresses were mailed more than once: {string.Join(", ", twice.Take(10))}");

        await RecipientsAgreeAsync(api, campaign, server, task);
    }

    private static async Task RecipientsAgreeAsync(EdmClient api, RunningCampaign campaign, CountingSmtpServer server, TaskView task)
    {
        // The table of recipients is projected from the journal, a moment behind it.
        var recipients = new List<RecipientView>();
        await Eventually.Async(
            async () =>
            {
                recipients = await api.RecipientsAsync(campaign.Task);
                return task.Counts.All(c => recipients.Count(r => r.State == c.Key) == c.Value);
            },
            TimeSpan.FromSeconds(60),
            $"the recipients' states are the task's counts ({task})");

        Assert.Equal(Enumerable.Range(1, campaign.Planned), recipients.Select(r => r.Seq));
        Assert.Equal(campaign.Planned, recipients.Select(r => r.Email).Distinct().Count());

        var wrong = recipients
            .Where(r => (r.State, server.Received.GetValueOrDefault(r.Email)) is not (("sent", 1) or ("unknown", 0 or 1) or ("skipped", 0)))
            .Select(r => $"{r.Email} is {r.State}, received {server.Received.GetValueOrDefault(r.Email)}")
            .ToArray();
        Assert.True(wrong.Length == 0, $"{wrong.Length} recipients are not what arrived: {string.Join("; ", wrong.Take(10))}");
    }
}
