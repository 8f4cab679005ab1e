using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class MailboxProviderTests
{
    [Theory]
    [InlineData("mia@gmail.com", MailboxProvider.Gmail)]
    [InlineData("Mia@GoogleMail.com", MailboxProvider.Gmail)]
    [InlineData("mia@hotmail.co.uk", MailboxProvider.Outlook)]
    [InlineData("mia@outlook.de", MailboxProvider.Outlook)]
    [InlineData("mia@live.com.mx", MailboxProvider.Outlook)]
    [InlineData("mia@yahoo.co.jp", MailboxProvider.Yahoo)]
    [InlineData("mia@aol.com", MailboxProvider.Yahoo)]
    [InlineData("10001@qq.com", MailboxProvider.QQ)]
    [InlineData("mia@126.com", MailboxProvider.NetEase)]
    [InlineData("mia@live.example.com", MailboxProvider.Other)]
    [InlineData("mia@yahoo.example.com", MailboxProvider.Other)]
    [InlineData("mia@notgmail.com", MailboxProvider.Other)]
    [InlineData("mia@yahoo", MailboxProvider.Other)]
    [InlineData("", MailboxProvider.Other)]
    public void It_is_told_by_the_domain(string address, MailboxProvider provider) => Assert.Equal(provider, MailboxProviders.Of(address));

    [Fact]
    public void Nothing_makes_it_throw() => Gen.String.Sample(text => Enum.IsDefined(MailboxProviders.Of(text)));

    [Fact]
    public void Every_provider_has_a_name() =>
        Assert.All(Enum.GetValues<MailboxProvider>(), provider => Assert.Equal(provider, MailboxProviders.Named(MailboxProviders.NameOf(provider))));

    [Fact]
    public void A_number_of_a_later_version_counts_as_others() => Assert.Equal(MailboxProvider.Other, MailboxProviders.Numbered(99));
}
