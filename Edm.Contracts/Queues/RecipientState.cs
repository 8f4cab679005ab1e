using System.Text.Json.Serialization;

namespace Edm.Contracts;

/// <summary>Every recipient of a task is in exactly one of these, at all times. The numbers are stored: never change one.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RecipientState>))]
public enum RecipientState : byte
{
    [JsonStringEnumMemberName("waiting")] Waiting = 0,
    [JsonStringEnumMemberName("leased")] Leased = 1,
    [JsonStringEnumMemberName("pending-retry")] PendingRetry = 2,
    [JsonStringEnumMemberName("sent")] Sent = 3,
    [JsonStringEnumMemberName("failed")] Failed = 4,
    [JsonStringEnumMemberName("skipped")] Skipped = 5,
    [JsonStringEnumMemberName("cancelled")] Cancelled = 6,
    [JsonStringEnumMemberName("unknown")] Unknown = 7,
}

/// <summary>The names as the API, the database and the screens write them.</summary>
public static class RecipientStates
{
    public const int Count = 8;

    private static readonly string[] Names = ["waiting", "leased", "pending-retry", "sent", "failed", "skipped", "cancelled", "unknown"];

    public static string Name(this RecipientState state) => Names[(int)state];

    public static bool TryParse(string name, out RecipientState state)
    {
        var index = Array.IndexOf(Names, name);
        state = (RecipientState)Math.Max(index, 0);
        return index >= 0;
    }

    public static IReadOnlyList<string> All => Names;
}
