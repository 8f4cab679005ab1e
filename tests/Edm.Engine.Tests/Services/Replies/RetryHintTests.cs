using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Services.Replies;

public sealed class RetryHintTests
{
    [Theory]
    [InlineData("450 4.2.0 Greylisted, please try again in 300 seconds", 300)]
    [InlineData("451 4.7.1 Greylisting in effect, please come back in 00:04:59", 299)]
    [InlineData("451 Greylisted for 5 minutes", 300)]
    [InlineData("421 Too many mails, retry in 10 minutes.", 600)]
    [InlineData("421 try again in 2 hours", 7200)]
    [InlineData("450 Please wait 1 minute and try again", 60)]
    [InlineData("450 wait at least 30 minutes before trying again", 1800)]
    [InlineData("451 try 5 minutes later", 300)]
    [InlineData("451 Please resend after 90 sec", 90)]
    [InlineData("421 Too busy, try again in an hour", 3600)]
    [InlineData("451 retry after 120", 120)]
    [InlineData("451 Retry-After: 120s", 120)]
    [InlineData("451 try again in 1h30m", 5400)]
    [InlineData("451 retry in 1 hour, 30 minutes", 5400)]
    [InlineData("421 temporarily blocked for 15 minutes", 900)]
    [InlineData("450 TRY AGAIN IN 45 SECONDS", 45)]
    [InlineData("450-4.2.0 Greylisted, try\n450 4.2.0 again in 60 seconds", 60)]
    [InlineData("451 Bitte in 5 Minuten erneut versuchen", 300)]
    [InlineData("451 Veuillez réessayer dans 10 minutes", 600)]
    [InlineData("451 Espere 5 minutos", 300)]
    [InlineData("451 Попробуйте через 5 минут", 300)]
    [InlineData("451 请在60秒后重试", 60)]
    [InlineData("451 请 5 分钟后再试", 300)]
    [InlineData("451 try again in 9999999 days", 86400)]
    public void The_time_that_a_server_asks_for_is_found(string text, int seconds) => Assert.Equal(TimeSpan.FromSeconds(seconds), RetryHint.Find(text));

    [Theory]
    [InlineData("451 try again later")]
    [InlineData("421 Too many messages in the last 60 minutes, try again later")]
    [InlineData("421 limit of 100 messages per 1 hour, try later")]
    [InlineData("554 Could not deliver for the last 432000 seconds. Giving up.")]
    [InlineData("550 unable to deliver in 840 minutes")]
    [InlineData("451 try again from 192.0.2.1")]
    [InlineData("451 try again in 99999999999 seconds")]
    [InlineData("451 try again with a secure connection")]
    [InlineData("451 try again in 0 seconds")]
    [InlineData("552 mailbox is over 5 MB, 20 days old")]
    [InlineData("")]
    public void Another_number_is_not_taken_for_it(string text) => Assert.Null(RetryHint.Find(text));
}
