namespace Edm.Engine.Services.Limits;

/// <summary>
/// A young sender is given more mails a day as it grows older, so that providers learn to know it. Either a table, or a ramp; after its end only the service's own limit holds.
/// </summary>
/// <param name="Start">The first day, in the service's time zone. Earlier days are like the first.</param>
/// <param name="Table">Mails on the first day, the second, …</param>
/// <param name="First">Mails on the first day of a ramp.</param>
/// <param name="Growth">Each day so many times those of the day before; 1.2 is usual.</param>
/// <param name="Days">How long the ramp is.</param>
public sealed record WarmUp(DateOnly Start, IReadOnlyList<int>? Table = null, int? First = null, double? Growth = null, int? Days = null)
{
    /// <summary>Two years: none takes longer, and it keeps the arithmetic small.</summary>
    public const int MaxDays = 730;

    /// <summary>How many mails may be sent on that day; null when the warm-up is over.</summary>
    public int? On(DateOnly day)
    {
        var age = Math.Max(0, day.DayNumber - Start.DayNumber);
        if (Table is { } table)
        {
            return age < table.Count ? table[age] : null;
        }

        return age < Days ? (int)Math.Min(int.MaxValue, (First ?? 0) * Math.Pow(Growth ?? 1, age)) : null;
    }
}
