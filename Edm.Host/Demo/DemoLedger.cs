using System.Globalization;
using Edm.Contracts.Http;
using Edm.Host.Screen;

namespace Edm.Host.Demo;

/// <summary>The final account as a table.</summary>
internal static class DemoLedger
{
    public static void Write(TextWriter output, TaskView task, DemoAccount account)
    {
        output.WriteLine();
        output.WriteLine($"The ledger of task {task.Id}, {task.State} after {Took(task)}");
        foreach (var (state, count) in DemoAccount.Counts(task.Counts))
        {
            output.WriteLine($"  {state,-16}{Number(count)}{Note(state, count)}");
        }

        var sum = DemoAccount.Counts(task.Counts).Sum(count => count.Count);
        output.WriteLine($"  {"",-16}{new string('-', 8)}");
        output.WriteLine($"  {"planned",-16}{Number(task.Planned)}  {(sum == task.Planned ? "✔ the sum of its states" : $"✘ its states come to {sum}")}");
        output.WriteLine();
        output.WriteLine($"  {"sandbox got",-16}{Number(account.Received)}  {(account.Balances ? "✔ one for each that counts as sent, at most one for each unknown, and no other" : "✘ see below")}");
        output.WriteLine($"  {"twice",-16}{Number(account.Duplicated)}  {(account.Duplicated == 0 ? "✔" : "✘")}");
        foreach (var problem in account.Problems)
        {
            output.WriteLine($"  ✘ {problem}");
        }
    }

    private static string Note(string state, int count) => (state, count) switch
    {
        (_, 0) => "",
        ("failed", _) => "  refused for good (5xx)",
        ("unknown", _) => "  on the wire when the process was killed: nobody can know, so nobody is mailed twice",
        _ => "",
    };

    private static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture).PadLeft(8);

    private static string Took(TaskView task) =>
        task is { LaunchedAt: { } from, FinishedAt: { } to } ? Words.Span(to - from) : "some time";
}
