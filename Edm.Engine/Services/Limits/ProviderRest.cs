namespace Edm.Engine.Services.Limits;

/// <summary>
/// A provider that refuses a service for its name or its rules is left in peace by it: for an hour, then twice as long each time that it still refuses, up to half a day. When
/// the time is over one mail at a time tries, until one is taken. Pure but for its own state. Not thread-safe.
/// </summary>
/// <param name="threshold">Refusals in a row before it rests.</param>
public sealed class ProviderRest(int threshold)
{
    /// <summary>Longer than the first delay of the recipient, which is then tried through another service.</summary>
    public static readonly TimeSpan First = TimeSpan.FromHours(1);

    /// <summary>Delisting takes a day or so; twice a day it is found out.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    private int _refusals;
    private TimeSpan _pause = First;

    /// <summary>In the past when it does not rest.</summary>
    public DateTimeOffset Until { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>It has rested, and nothing was taken since: one mail at a time.</summary>
    public bool IsProving { get; private set; }

    /// <summary>What it said last; null when it refuses nothing.</summary>
    public string? Words { get; private set; }

    public bool Rests(DateTimeOffset now) => now < Until;

    /// <summary>A mail was refused for who sends it.</summary>
    public void Refused(DateTimeOffset now, string words)
    {
        if (Rests(now))
        {
            // It was on its way when the rest began and tells nothing new.
            return;
        }

        _refusals++;
        if (_refusals < threshold)
        {
            return;
        }

        (Until, Words, IsProving) = (now + _pause, words, true);
        _pause = 2 * _pause < Longest ? 2 * _pause : Longest;
    }

    /// <summary>A mail was taken.</summary>
    public void Taken(DateTimeOffset now)
    {
        if (!Rests(now))
        {
            (_refusals, _pause, IsProving, Words) = (0, First, false, null);
        }
    }
}
