using Akka.Actor;
using Akka.Hosting;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>Asks lanes, on whatever node they run, how their services do.</summary>
public sealed class LaneReports(IRequiredActor<LaneRegion> lanes, TimeProvider time)
{
    /// <summary>A lane that has to be started first takes about a second.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(200);

    /// <returns>Null when the lane does not answer in time, or does not know the service.</returns>
    public async Task<ServiceReport?> FindAsync(LaneId lane, ServiceId service, CancellationToken cancellation) =>
        (await AskAsync(new GetLane(lane, service), cancellation))?.Services.FirstOrDefault();

    /// <summary>What the lanes of a pool say of their services; those that do not answer in time say nothing.</summary>
    /// <param name="expected">So many enabled services: who has heard of as many waits for no more.</param>
    /// <param name="patience">At most <see cref="Deadline"/>.</param>
    public async Task<IReadOnlyList<ServiceReport>> OfPoolAsync(PoolId pool, int lanesOfPool, int expected, TimeSpan patience, CancellationToken cancellation)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var asked = Enumerable.Range(0, lanesOfPool).Select(lane => AskOnceAsync(new GetLane(new LaneId(pool, lane)), patience - time.GetElapsedTime(began), cancellation));
            ServiceReport[] reports = [.. (await Task.WhenAll(asked)).SelectMany(lane => lane?.Services ?? [])];
            if (reports.Count(report => !Array.Exists(report.Reasons ?? [], reason => reason.Code == "disabled")) >= expected || time.GetElapsedTime(began) + AskAgain >= patience)
            {
                return reports;
            }

            await Task.Delay(AskAgain, cancellation);
        }
    }

    /// <summary>A lane that has just been started knows none of its services yet and is asked again.</summary>
    /// <returns>The last answer; null when there was none in time.</returns>
    public async Task<LaneReport?> AskAsync(GetLane question, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(question);
        var began = time.GetTimestamp();
        LaneReport? last = null;
        while (Deadline - time.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            last = await AskOnceAsync(question, left, cancellation) ?? last;
            if (last?.Services.Length > 0)
            {
                return last;
            }

            await Task.Delay(AskAgain, cancellation);
        }

        return last;
    }

    private async Task<LaneReport?> AskOnceAsync(GetLane question, TimeSpan atMost, CancellationToken cancellation)
    {
        try
        {
            return await (await lanes.GetAsync(cancellation)).Ask<LaneReport>(question, atMost, cancellation);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
