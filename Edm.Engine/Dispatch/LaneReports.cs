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

    /// <summary>A lane that has just been started knows none of its services yet and is asked again.</summary>
    /// <returns>The last answer; null when there was none in time.</returns>
    public async Task<LaneReport?> AskAsync(GetLane question, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(question);
        var began = time.GetTimestamp();
        var region = await lanes.GetAsync(cancellation);
        LaneReport? last = null;
        while (Deadline - time.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            try
            {
                last = await region.Ask<LaneReport>(question, left, cancellation);
            }
            catch (AskTimeoutException)
            {
                return last;
            }

            if (last.Services.Length > 0)
            {
                return last;
            }

            await Task.Delay(AskAgain, cancellation);
        }

        return last;
    }
}
