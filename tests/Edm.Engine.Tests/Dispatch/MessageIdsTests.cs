using System.Security.Cryptography;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Dispatch;
using Edm.Engine.Services;
using Xunit;

namespace Edm.Engine.Tests.Dispatch;

public sealed class MessageIdsTests
{
    private static readonly ServiceSettings Service = MadeUpWorld.Service(1) with { SenderAddress = "anna@bücher.example", Mark = "abc" };

    [Fact]
    public void An_id_is_the_same_for_every_try_and_stands_in_the_senders_domain_in_ascii()
    {
        Assert.Equal("edm.7.3.abc@xn--bcher-kva.example", MessageIds.Of(Mail(7, 3), Service));
        Assert.Equal(MessageIds.Of(Mail(7, 3), Service), MessageIds.Of(Mail(7, 3) with { Attempt = 2 }, Service));
        Assert.NotEqual(MessageIds.Of(Mail(7, 3), Service), MessageIds.Of(Mail(7, 4), Service));
    }

    [Theory]
    [InlineData("edm.7.3.abc@example.com")]
    [InlineData(" <edm.7.3.abc@example.com> ")]
    public void An_id_of_ours_is_read_back(string text)
    {
        Assert.True(MessageIds.TryRead(text, "abc", out var task, out var seq));
        Assert.Equal((new TaskId(7), 3), (task, seq));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<>")]
    [InlineData("edm.7.3.abc")]
    [InlineData("edm.7.3.abc@")]
    [InlineData("edm.7.3.other@example.com")]
    [InlineData("edm.7.0.abc@example.com")]
    [InlineData("edm.7.-3.abc@example.com")]
    [InlineData("edm.7.99999999999.abc@example.com")]
    [InlineData("edm.x.3.abc@example.com")]
    [InlineData("edm.7.3.abc.more@example.com")]
    [InlineData("mde.7.3.abc@example.com")]
    public void An_id_of_somebody_else_is_not(string text) => Assert.False(MessageIds.TryRead(text, "abc", out _, out _));

    [Fact]
    public void Installations_with_keys_of_their_own_have_marks_of_their_own()
    {
        var key = RandomNumberGenerator.GetBytes(32);

        Assert.Equal(new SecretBox(key).Mark, new SecretBox(key).Mark);
        Assert.NotEqual(new SecretBox(key).Mark, new SecretBox(RandomNumberGenerator.GetBytes(32)).Mark);
        Assert.Matches("^[0-9a-f]{12}$", new SecretBox(key).Mark);
    }

    private static Mail Mail(long task, int seq) => new(
        new MailKey(new UserId(1), new LeaseNr(1), seq), new TaskContext(new TaskId(task), new UserId(1), new CampaignId(1), 0, new TemplateId(1), 1, new PoolId(1)), 1,
        new ContactCard(new ContactId(1), "mia@example.com", null, null, null, null, null, null, null, new Dictionary<string, string>()));
}
