using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Akka.Actor;
using Edm.Host.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Host.Tests.Api;

public sealed class ProblemMiddlewareTests
{
    private static async Task<(HttpContext Context, string Body)> RunAsync(RequestDelegate next)
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        context.Response.Body = body;
        await new ProblemMiddleware(next, NullLogger<ProblemMiddleware>.Instance).InvokeAsync(context);
        return (context, Encoding.UTF8.GetString(body.ToArray()));
    }

    [Fact]
    public async Task A_defect_is_a_500_that_tells_a_trace_id_and_nothing_of_our_inside()
    {
        var (context, body) = await RunAsync(_ => throw new InvalidOperationException("SELECT secret FROM inside"));

        Assert.Equal(500, context.Response.StatusCode);
        Assert.False(string.IsNullOrEmpty(JsonDocument.Parse(body).RootElement.GetProperty("traceId").GetString()));
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", body, StringComparison.Ordinal);
        Assert.DoesNotContain(" at ", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_503_with_the_time_to_come_again()
    {
        var (context, _) = await RunAsync(_ => throw new SocketException((int)SocketError.ConnectionRefused));

        Assert.Equal((503, "5"), (context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString()));
    }

    [Fact]
    public async Task An_entity_that_does_not_answer_is_a_503()
    {
        var (context, _) = await RunAsync(_ => throw new AskTimeoutException("10 s"));

        Assert.Equal(503, context.Response.StatusCode);
    }

    [Fact]
    public async Task Somebody_who_goes_away_gets_no_answer_and_is_no_defect()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        var (context, body) = await RunAsync(http =>
        {
            http.RequestAborted = gone.Token;
            throw new OperationCanceledException(gone.Token);
        });

        Assert.Equal((200, ""), (context.Response.StatusCode, body));
    }

    [Fact]
    public async Task A_bare_error_status_gets_words()
    {
        var (context, body) = await RunAsync(http =>
        {
            http.Response.StatusCode = 404;
            return Task.CompletedTask;
        });

        Assert.Equal("application/problem+json", context.Response.ContentType);
        Assert.Contains("urn:edm:problem:not-found", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_has_begun_is_broken_off_and_not_mixed_with_a_problem()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(http =>
        {
            http.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpResponseFeature>(new Begun());
            throw new InvalidOperationException("late");
        }));
    }

    private sealed class Begun : Microsoft.AspNetCore.Http.Features.HttpResponseFeature
    {
        public override bool HasStarted => true;
    }
}
