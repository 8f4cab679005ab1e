using System.Globalization;

namespace Edm.Engine.Dispatch;

/// <summary>Moments in the reasons that people read: UTC, to the second, as RFC 3339 has it.</summary>
internal static class UtcClock
{
    public static string Text(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
