using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Host.Demo;

namespace Edm.Host.Tests.Demo;

/// <summary>The account that decides how <c>demo --exit</c> ends must see every way in which a ledger can lie.</summary>
public sealed class DemoAccountTests
{
    private static readonly RecipientView[] Recipients =
        [Recipient(1, "sent", "ann@example.com"), Recipient(2, "sent", "Bob@example.com"), Recipient(3, "failed", "cy@example.com"), Recipient(4, "unknown", "di@example.com")];

    private static readonly RecipientCounts Counts = new(Waiting: 0, Leased: 0, PendingRetry: 0, Sent: 2, Failed: 1, Skipped: 0, Cancelled: 0, Unknown: 1);

    [Theory]
    [InlineData("ann@example.com", "bob@example.com")]
    [InlineData("ann@example.com", "bob@example.com", "di@example.com")]
    public void A_ledger_balances_whether_an_unknown_mail_came_or_not(params string[] received)
    {
        var account = DemoAccount.Of(Ledger(4, Counts), Recipients, received);

        Assert.Empty(account.Problems);
        Assert.True(account.Balances);
        Assert.Equal((received.Length, 0), (account.Received, account.Duplicated));
    }

    [Theory]
    [InlineData("Recipient 2 is sent, and got 0 mails.", "ann@example.com")]
    [InlineData("Recipient 1 is sent, and got 2 mails.", "ann@example.com", "ANN@example.com", "bob@example.com")]
    [InlineData("Recipient 3 is failed, and got 1 mails.", "ann@example.com", "bob@example.com", "cy@example.com")]
    [InlineData("Recipient 4 is unknown, and got 2 mails.", "ann@example.com", "bob@example.com", "di@example.com", "di@example.com")]
    [InlineData("eve@example.com got a mail and is no recipient of the task.", "ann@example.com", "bob@example.com", "eve@example.com")]
    public void What_was_received_and_does_not_fit_is_named(string problem, params string[] received)
    {
        var account = DemoAccount.Of(Ledger(4, Counts), Recipients, received);

        Assert.Equal([problem], account.Problems);
        Assert.False(account.Balances);
    }

    [Fact]
    public void A_sum_that_is_not_what_was_planned_does_not_balance()
    {
        var account = DemoAccount.Of(Ledger(5, Counts), Recipients, ["ann@example.com", "bob@example.com"]);

        Assert.Equal(["The states come to 4, and 5 were planned.", "The list has 4 recipients, and 5 were planned."], account.Problems);
    }

    [Fact]
    public void A_list_that_counts_differently_from_the_ledger_does_not_balance()
    {
        var account = DemoAccount.Of(Ledger(4, Counts with { Sent = 1, Failed = 2 }), Recipients, ["ann@example.com", "bob@example.com"]);

        Assert.Equal(["The ledger counts 1 as sent, and the list has 2.", "The ledger counts 2 as failed, and the list has 1."], account.Problems);
    }

    [Fact]
    public void Of_many_wrong_recipients_a_few_are_named()
    {
        var many = Enumerable.Range(1, 20).Select(seq => Recipient(seq, "sent", $"a{seq}@example.com")).ToArray();

        var account = DemoAccount.Of(Ledger(20, Counts with { Sent = 20, Failed = 0, Unknown = 0 }), many, []);

        Assert.Equal(6, account.Problems.Count);
        Assert.Equal("... and 15 recipients more.", account.Problems[^1]);
    }

    private static TaskView Ledger(int planned, RecipientCounts counts) => new(
        new TaskId(1), new CampaignId(1), "demo", new PoolId(1), 1, "finished", planned, counts, true, 0, null, null, null, default, null, null);

    private static RecipientView Recipient(int seq, string state, string email) =>
        new(seq, state, new ContactId(seq), email, 1, null, null, null, null, null, null, null, null, null);
}
