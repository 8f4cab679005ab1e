using Edm.Engine.Services.Smtp;
using Xunit;

namespace Edm.Engine.Tests.Services.Smtp;

public sealed class EnhancedStatusTests
{
    [Theory]
    [InlineData("2.0.0 Ok", "2.0.0")]
    [InlineData("5.1.1", "5.1.1")]
    [InlineData("4.7.650 throttled", "4.7.650")]
    [InlineData("5.123.456\r\n", "5.123.456")]
    public void A_code_at_the_beginning_is_found(string text, string code)
    {
        Assert.True(EnhancedStatus.TryParse(text, out var status));
        Assert.Equal(code, status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Ok")]
    [InlineData("3.0.0 no such class")]
    [InlineData("5.1 short")]
    [InlineData("5.1.")]
    [InlineData("5..1")]
    [InlineData("5.1.1234")]
    [InlineData("5.1234.1")]
    [InlineData("5.1.1.1 an address of a host")]
    [InlineData("5.1.1x")]
    [InlineData(" 5.1.1")]
    public void Anything_else_is_no_code(string text) => Assert.False(EnhancedStatus.TryParse(text, out _));
}
