namespace Edm.Engine.Services.Limits;

/// <summary>How many mails were started in one whole hour, or day, of UTC. A value: counting makes a new one.</summary>
/// <param name="Nr">Which one: whole windows since 1970.</param>
public readonly record struct QuotaWindow(long Nr, int Used)
{
    /// <summary>Counts <paramref name="n"/> starts. A later window begins at nothing; an earlier moment counts here, so that a clock set back grants nothing twice.</summary>
    public QuotaWindow Count(TimeSpan length, DateTimeOffset at, int n)
    {
        var nr = NrOf(length, at);
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        return nr > Nr ? new QuotaWindow(nr, n) : this with { Used = Used + n };
    }

    /// <summary>How many starts are left now, never negative; <see cref="int.MaxValue"/> without a limit.</summary>
    public int Left(TimeSpan length, int? limit, DateTimeOffset now) =>
        limit is not { } most ? int.MaxValue : Math.Max(0, most - UsedAt(length, now));

    /// <summary>When there is something left: now, or where the window ends. Without end (<see cref="DateTimeOffset.MaxValue"/>) for a limit of nothing.</summary>
    public DateTimeOffset NextAt(TimeSpan length, int? limit, DateTimeOffset now)
    {
        if (limit is <= 0)
        {
            return DateTimeOffset.MaxValue;
        }

        return Left(length, limit, now) > 0 ? now : DateTimeOffset.UnixEpoch + (Math.Max(Nr, NrOf(length, now)) + 1) * length;
    }

    public int UsedAt(TimeSpan length, DateTimeOffset now) => NrOf(length, now) > Nr ? 0 : Used;

    private static long NrOf(TimeSpan length, DateTimeOffset at) => (at - DateTimeOffset.UnixEpoch).Ticks / length.Ticks;
}
