namespace Edm.Host.Hosting;

/// <summary>Says when an outage of the database is over. Sleeps while there is none.</summary>
internal sealed partial class OutageWatch(OutageLines lines, Readiness readiness, TimeProvider time, ILogger<OutageWatch> logger) : BackgroundService
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await lines.Begun.WaitAsync(stoppingToken);
            do
            {
                await Task.Delay(AskEvery, time, stoppingToken);
            }
            while (!lines.IsQuiet || !await readiness.DatabaseAnswersAsync(stoppingToken));

            var (duration, leftOut) = lines.End();
            LogOver(Math.Round(duration.TotalSeconds), leftOut);
        }
    }

    // A warning, because who sees the beginning must see the end.
    [LoggerMessage(LogLevel.Warning, "The database answers again after {Seconds} s; {LeftOut} more lines about its absence were not written")]
    private partial void LogOver(double seconds, long leftOut);
}
