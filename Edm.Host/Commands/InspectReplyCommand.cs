using System.CommandLine;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Services.Replies;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>
/// <c>inspect reply</c>: one JSON object a line and reply, <c>{class, action, retryAfter}</c>. Where the recipient is tried again, retryAfter is how many seconds the server asks to
/// wait or, where it doesn't say, what is waited before the second try with the default settings. Answers stand in the order of the questions, also for empty lines.
/// </summary>
internal static class InspectReplyCommand
{
    private static readonly InspectLines Lines = new("a reply in quotes", "replies");

    public static Command Create()
    {
        var replies = new Argument<string[]>("REPLY") { Description = "One or more replies of mail servers, each in quotes.", Arity = ArgumentArity.ZeroOrMore };
        var file = new Option<string?>("--file") { Description = "A file in UTF-8 with one reply a line, in which \\n is a line break within a reply; - is standard input.", HelpName = "FILE" };
        var command = new Command("reply", "Show what a mail server's reply means and what EDM does about it.") { replies, file };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(replies) ?? [], parsed.GetValue(file), Console.OpenStandardInput, Console.OpenStandardOutput(), Terminal.OfProcess.Error, cancellation));
        return command;
    }

    /// <returns>The exit code; what is not 0 has been explained.</returns>
    internal static Task<int> RunAsync(string[] replies, string? file, Func<Stream> input, Stream output, TextWriter error, CancellationToken cancellation) =>
        Lines.RunAsync(replies, file, input, output, error, (line, json) => Write(line.Text, json), cancellation);

    private static void Write(string reply, Utf8JsonWriter json)
    {
        var verdict = ReplyClassifier.Of(reply.Replace("\\r", "", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        var wait = verdict.RetryAfter ?? (verdict.Action is ReplyAction.Retry or ReplyAction.Alert ? RetryDelay.First(RetryRules.Default, verdict.Class) : null);
        json.WriteString("class", verdict.Class.Name());
        json.WriteString("action", verdict.Action.Name());
        if (wait is { } time && verdict.Action is ReplyAction.Retry or ReplyAction.Pause or ReplyAction.Alert)
        {
            json.WriteNumber("retryAfter", (long)Math.Ceiling(time.TotalSeconds));
        }
        else
        {
            json.WriteNull("retryAfter");
        }
    }
}
