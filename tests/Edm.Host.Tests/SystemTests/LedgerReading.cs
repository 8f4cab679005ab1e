using Edm.Testing.Host;

namespace Edm.Host.Tests.SystemTests;

/// <summary>What a truthful ledger can never say.</summary>
internal static class LedgerReading
{
    private static readonly string[] Ends = ["sent", "failed", "skipped", "cancelled"];

    /// <param name="before">The reading before this one, if there was one.</param>
    /// <param name="received">Addresses that had got a mail when, or after, the ledger was read: it can only be too high.</param>
    /// <returns>What is wrong with the reading; null when nothing is.</returns>
    public static string? Lie(TaskView seen, TaskView? before, int planned, int received)
    {
        if (seen.Planned != planned || seen.Sum != planned)
        {
            return $"The states add up to {seen.Sum}, and {planned} were planned: {seen}";
        }

        if (seen.Of("sent") > received)
        {
            return $"More are sent than the {received} that arrived: {seen}";
        }

        if (seen.State == "finished" && seen.Of("waiting") + seen.Of("leased") + seen.Of("pending-retry") > 0)
        {
            return $"Finished with work left: {seen}";
        }

        return before is not null && Ends.FirstOrDefault(end => seen.Of(end) < before.Of(end)) is { } lost
            ? $"'{lost}' went down, from {before} to {seen}"
            : null;
    }
}
