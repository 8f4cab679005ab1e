namespace Edm.Engine.Services.Smtp;

/// <summary>
/// One moment by which a step of a conversation must be over; then the connection is cut, which ends every read and write that hangs in it. A reply that
/// comes one octet a minute does not move it.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private const long None = long.MaxValue;

    private readonly TimeProvider _time;
    private readonly Action _cut;
    private readonly ITimer _timer;

    /// <summary>In ticks of the provider's timestamp. A timer that fires late looks here, so that it never cuts off the step after its own.</summary>
    private long _due = None;

    public Deadline(TimeProvider time, Action cut)
    {
        (_time, _cut) = (time, cut);
        _timer = time.CreateTimer(static deadline => ((Deadline)deadline!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>It has come, and the connection is cut.</summary>
    public bool HasPassed { get; private set; }

    public void Set(TimeSpan within)
    {
        Volatile.Write(ref _due, _time.GetTimestamp() + (long)(within.TotalSeconds * _time.TimestampFrequency));
        _timer.Change(within, Timeout.InfiniteTimeSpan);
    }

    public void Clear()
    {
        Volatile.Write(ref _due, None);
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private void Fire()
    {
        var due = Volatile.Read(ref _due);
        if (due == None)
        {
            return;
        }

        var left = _time.GetElapsedTime(_time.GetTimestamp(), due);
        if (left > TimeSpan.FromMilliseconds(1))
        {
            _timer.Change(left, Timeout.InfiniteTimeSpan);
            return;
        }

        HasPassed = true;
        _cut();
    }
}
