using Edm.Testing;

namespace Edm.Host.Tests.Testing;

public sealed class EventuallyTests
{
    [Fact]
    public async Task A_condition_that_never_holds_fails_with_what_was_waited_for()
    {
        var e = await Assert.ThrowsAsync<TimeoutException>(() => Eventually.Async(() => false, TimeSpan.FromMilliseconds(50), "the moon is cheese"));

        Assert.Contains("the moon is cheese", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_condition_that_throws_at_first_is_asked_again()
    {
        var asked = 0;

        await Eventually.Async(() => ++asked > 2 ? true : throw new IOException("not yet"), TimeSpan.FromSeconds(10), "the third time");

        Assert.Equal(3, asked);
    }
}
