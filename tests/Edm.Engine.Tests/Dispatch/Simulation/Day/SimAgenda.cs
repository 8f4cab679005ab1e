namespace Edm.Engine.Tests.Dispatch.Simulation.Day;

/// <summary>A virtual clock: it stands still while something happens and then jumps to what happens next, so that a day takes seconds.</summary>
internal sealed class SimAgenda(DateTimeOffset start)
{
    // By time, and then in the order in which it was planned.
    private readonly PriorityQueue<Action, (long AtMs, long Nr)> plans = new();
    private long plannedSoFar;

    public long NowMs { get; private set; } = start.ToUnixTimeMilliseconds();

    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    /// <param name="delayMs">0: when what happens now is over.</param>
    public void After(long delayMs, Action what) => plans.Enqueue(what, (NowMs + delayMs, plannedSoFar++));

    public void Every(long periodMs, Action what) => After(periodMs, () =>
    {
        what();
        Every(periodMs, what);
    });

    public void RunUntil(DateTimeOffset end)
    {
        while (plans.TryPeek(out var what, out var when) && when.AtMs < end.ToUnixTimeMilliseconds())
        {
            plans.Dequeue();
            NowMs = when.AtMs;
            what();
        }

        NowMs = Math.Max(NowMs, end.ToUnixTimeMilliseconds());
    }
}
