using System.Diagnostics;
using System.Globalization;
using System.Net;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

/// <summary>Reads the ledger all the time while a test does its worst to the daemons, and keeps the first answer that was a lie.</summary>
internal sealed class LedgerWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(5);

    private readonly RunningCampaign campaign;
    private readonly CountingSmtpServer server;
    private readonly Func<EdmClient> api;
    private readonly ITestOutputHelper output;
    private readonly Stopwatch sinceLaunch = Stopwatch.StartNew();
    private readonly CancellationTokenSource stopping = new();
    private readonly Task watching;
    private volatile TaskView? last;
    private volatile string? lie;
    private int answers;

    /// <param name="api">Asked anew for each reading, as a restarted daemon has another address.</param>
    public LedgerWatch(RunningCampaign campaign, CountingSmtpServer server, Func<EdmClient> api, ITestOutputHelper output)
    {
        this.campaign = campaign;
        this.server = server;
        this.api = api;
        this.output = output;
        watching = WatchAsync();
    }

    public TaskView? Last => last;

    /// <summary>A line of the test's output, with the time, what has arrived and what the ledger said last.</summary>
    public void Note(string what) => output.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{sinceLaunch.Elapsed.TotalSeconds,6:0.0} s {what}: {server.Total} arrived; {last}"));

    /// <summary>Returns when the task says that it is finished.</summary>
    public async Task FinishedAsync(TimeSpan timeout)
    {
        try
        {
            await Eventually.Async(() => lie is not null || last?.State == "finished", timeout, "the task is finished");
        }
        catch (TimeoutException e)
        {
            throw new TimeoutException($"{e.Message}; the ledger said last: {last}; the server has {server.Total} mails", e);
        }

        Truthful();
    }

    /// <summary>Fails with the first answer that did not add up.</summary>
    public void Truthful()
    {
        Assert.Null(lie);
        Assert.True(Volatile.Read(ref answers) > 0, "the ledger was never read");
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await watching;
        stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        await Task.Yield();
        var nextLine = BetweenLines;
        while (!stopping.IsCancellationRequested && lie is null)
        {
            try
            {
                var seen = await api().TaskAsync(campaign.Task);
                lie = LedgerReading.Lie(seen, last, campaign.Planned, server.Received.Count);
                last = seen;
                Interlocked.Increment(ref answers);
            }
            catch (HttpRequestException e) when (e.StatusCode is null or HttpStatusCode.ServiceUnavailable)
            {
                // The daemon is dead, not up yet, or says that it can't know at the moment.
            }
            catch (Exception e) when (e is InvalidOperationException or OperationCanceledException or IOException or ObjectDisposedException)
            {
                // The connection was cut in the middle of an answer, or the client went with its daemon.
            }
            catch (Exception e)
            {
                lie = $"The ledger could not be read: {e.Message}";
            }

            if (sinceLaunch.Elapsed >= nextLine)
            {
                Note("so far");
                nextLine += BetweenLines;
            }

            await Task.Delay(Pause);
        }
    }
}
