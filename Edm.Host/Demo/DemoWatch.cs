using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Host.Screen;

namespace Edm.Host.Demo;

/// <summary>Asks for the ledger of a task once a second, and shows it.</summary>
internal sealed class DemoWatch(DemoApi api, Terminal terminal, TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>A line of its own for the same numbers is only written so often.</summary>
    private static readonly TimeSpan SameEvery = TimeSpan.FromSeconds(15);

    private readonly LiveLine _line = new(terminal, time, TimeSpan.Zero);
    private RecipientCounts? _shown;
    private long _shownAt;

    /// <returns>The ledger in the end.</returns>
    public async Task<TaskView> UntilFinishedAsync(TaskId id, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(Every, time);
        while (true)
        {
            var task = await api.GetAsync<TaskView>($"v1/tasks/{id}", cancellation);
            if (IsOver(task))
            {
                _line.Clear();
                return task;
            }

            if (terminal.Rewrites || task.Counts != _shown || time.GetElapsedTime(_shownAt) >= SameEvery)
            {
                _line.Show(Text(task, time.GetUtcNow()));
                (_shown, _shownAt) = (task.Counts, time.GetTimestamp());
            }

            await timer.WaitForNextTickAsync(cancellation);
        }
    }

    internal static string Text(TaskView task, DateTimeOffset now)
    {
        var counts = task.Counts;
        var toGo = counts.Waiting + counts.Leased;
        var over = task.Planned - toGo - counts.PendingRetry;
        var text = $"{Words.Bar((double)over / Math.Max(task.Planned, 1))}  {Words.Count(counts.Sent)} sent, {counts.Failed} failed";
        text += counts.Unknown > 0 ? $", {counts.Unknown} unknown" : "";
        text += toGo > 0 ? $", {Words.Count(toGo)} to go" : "";
        if (counts.PendingRetry > 0)
        {
            text += task.NextRetryAt is { } at && toGo == 0 ? $", {counts.PendingRetry} deferred: next try in {Words.Clock(at - now)}" : $", {counts.PendingRetry} deferred";
        }

        return toGo > 0 ? $"{text}  {task.RatePerSecond:0.0}/s{(task.Eta is { } eta ? $"  {Words.Clock(eta - now)} left" : "")}" : text;
    }

    // A cancelled task still settles what is on the wire.
    private static bool IsOver(TaskView task) => task.State is "finished" or "refused" || (task.State == "cancelled" && task.Counts.Leased == 0);
}
