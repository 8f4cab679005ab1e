using System.Globalization;
using Edm.Contracts.Http;

namespace Edm.Host.Demo;

/// <summary>Holds the ledger of a task against its list of recipients and against what the receiving side really got.</summary>
/// <param name="Received">Mails of this task.</param>
/// <param name="Duplicated">Addresses that got more than one.</param>
/// <param name="Problems">What does not fit; empty when the ledger balances.</param>
internal sealed record DemoAccount(int Received, int Duplicated, IReadOnlyList<string> Problems)
{
    /// <summary>More of a kind are only counted.</summary>
    private const int ShownProblems = 5;

    public bool Balances => Problems.Count == 0;

    /// <param name="recipients">All recipients of the task.</param>
    /// <param name="received">The address of every mail of this task that the receiving side got, as often as it got one.</param>
    public static DemoAccount Of(TaskView task, IReadOnlyCollection<RecipientView> recipients, IEnumerable<string> received)
    {
        var times = received.GroupBy(address => address, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => group.Count(), StringComparer.OrdinalIgnoreCase);
        List<string> problems = [.. OfCounts(task, recipients)];
        List<string> wrong = [.. recipients.Select(recipient => OfRecipient(recipient, times)).OfType<string>()];
        var known = recipients.Select(recipient => recipient.Email ?? "").ToHashSet(StringComparer.OrdinalIgnoreCase);
        wrong.AddRange(times.Keys.Where(address => !known.Contains(address)).Select(address => $"{address} got a mail and is no recipient of the task."));
        problems.AddRange(wrong.Take(ShownProblems));
        if (wrong.Count > ShownProblems)
        {
            problems.Add($"... and {wrong.Count - ShownProblems} recipients more.");
        }

        return new DemoAccount(times.Values.Sum(), times.Values.Count(count => count > 1), problems);
    }

    /// <summary>The count of every state, by the name that the API gives it.</summary>
    public static IReadOnlyList<(string State, int Count)> Counts(RecipientCounts counts) =>
    [
        ("waiting", counts.Waiting), ("leased", counts.Leased), ("pending-retry", counts.PendingRetry), ("sent", counts.Sent),
        ("failed", counts.Failed), ("skipped", counts.Skipped), ("cancelled", counts.Cancelled), ("unknown", counts.Unknown),
    ];

    private static IEnumerable<string> OfCounts(TaskView task, IReadOnlyCollection<RecipientView> recipients)
    {
        var counts = Counts(task.Counts);
        var sum = counts.Sum(count => count.Count);
        if (sum != task.Planned)
        {
            yield return $"The states come to {sum}, and {task.Planned} were planned.";
        }

        if (recipients.Count != task.Planned)
        {
            yield return $"The list has {recipients.Count} recipients, and {task.Planned} were planned.";
        }

        var listed = recipients.CountBy(recipient => recipient.State).ToDictionary();
        foreach (var (state, count) in counts)
        {
            if (listed.GetValueOrDefault(state) != count)
            {
                yield return $"The ledger counts {count} as {state}, and the list has {listed.GetValueOrDefault(state)}.";
            }
        }
    }

    private static string? OfRecipient(RecipientView recipient, Dictionary<string, int> times)
    {
        var got = recipient.Email is { } email ? times.GetValueOrDefault(email) : 0;
        var fits = recipient.State switch
        {
            // Nobody could know; that is why it is called so.
            "unknown" => got <= 1,
            "sent" => got == 1,
            _ => got == 0,
        };
        return fits ? null : string.Create(CultureInfo.InvariantCulture, $"Recipient {recipient.Seq} is {recipient.State}, and got {got} mails.");
    }
}
