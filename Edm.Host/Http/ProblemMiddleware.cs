namespace Edm.Host.Http;

/// <summary>Turns whatever is thrown, and every bare error status, into a <see cref="Problem"/>. Outermost, so that nothing answers otherwise.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
            LogGone(exception, context.Request.Path);
            return;
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            var problem = Problems.Of(exception);
            if (problem is null)
            {
                var trace = Problems.TraceId(context);
                LogFailed(exception, context.Request.Method, context.Request.Path, trace);
                problem = Problem.Internal(trace);
            }
            else if (problem.Status >= StatusCodes.Status500InternalServerError)
            {
                LogUnavailable(exception, context.Request.Method, context.Request.Path);
            }

            await Problems.WriteAsync(context, problem);
            return;
        }

        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
        {
            await Problems.WriteAsync(context, Problem.OfStatus(context.Response.StatusCode, context));
        }
    }

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed, trace {TraceId}")]
    private partial void LogFailed(Exception exception, string method, PathString path, string traceId);

    [LoggerMessage(LogLevel.Warning, "{Method} {Path} is not possible at the moment")]
    private partial void LogUnavailable(Exception exception, string method, PathString path);

    [LoggerMessage(LogLevel.Debug, "The client of {Path} went away")]
    private partial void LogGone(Exception exception, PathString path);
}
