using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Tests.Services.Smtp;
using Xunit;

namespace Edm.Engine.Tests.Services;

public sealed class ServiceTesterTests
{
    private readonly ServiceTester _tester = new(new SmtpTransport(ConnectionFixture.Short, () => null, TimeProvider.System), TimeProvider.System);

    [Fact]
    public async Task A_service_that_answers_works()
    {
        await using var server = new ScriptedServer(ScriptedServer.Hello + "C: NOOP\nS: 250 ok\nC: QUIT\nS: 221 bye");

        var test = await _tester.TestAsync(ConnectionFixture.Service(server.Port));

        Assert.Equal((true, "connected without TLS, no login; the server answers"), (test.Works, test.Words));
    }

    [Theory]
    [InlineData("S: 554 5.7.1 not from there\nclose", "554 5.7.1 not from there")]
    [InlineData("hold", "did not answer in time")]
    [InlineData(ScriptedServer.Hello + "C: NOOP\nS: 421 4.3.2 closing\nclose", "421")]
    public async Task A_service_that_does_not_says_so_in_the_servers_words(string conversation, string words)
    {
        await using var server = new ScriptedServer(conversation);

        var test = await _tester.TestAsync(ConnectionFixture.Service(server.Port));

        Assert.False(test.Works);
        Assert.Contains(words, test.Words, StringComparison.Ordinal);
    }
}
