using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Contracts;
using Edm.Engine.Queues;
using Edm.Engine.Services.Replies;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>
/// <c>inspect reply</c>: one JSON object a line and reply, <c>{class, action, retryAfter}</c>. Where the recipient is tried again, retryAfter is how many seconds the server asks to
/// wait or, where it doesn't say, what is waited before the second try with the default settings. Answers stand in the order of the questions, also for empty lines.
/// The exit code says whether the file could be read, not what was in it.
/// </summary>
internal static class InspectReplyCommand
{
    private const int Buffer = 64 * 1024;

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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
    internal static async Task<int> RunAsync(string[] replies, string? file, Func<Stream> input, Stream output, TextWriter error, CancellationToken cancellation)
    {
        // Said here and not by the command line's library, which prints its help to standard output.
        if (replies.Length > 0 == file is not null)
        {
            await error.WriteLineAsync(file is null ? "Give a reply in quotes, or a list with --file FILE ('-' is standard input)." : "Give replies or --file, not both.");
            return ExitCodes.Unusable;
        }

        await using var lines = new BufferedStream(output, Buffer);
        await using var json = new Utf8JsonWriter(lines, Readable);
        try
        {
            foreach (var reply in replies)
            {
                Write(reply, json, lines);
            }

            if (file is not null)
            {
                await using var source = file == "-" ? input() : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                foreach (var line in new AddressLines(source))
                {
                    cancellation.ThrowIfCancellationRequested();
                    Write(line.Text, json, lines);
                }
            }

            return 0;
        }
        catch (AddressListException exception)
        {
            await error.WriteLineAsync($"{file}: {exception.Message}");
            return ExitCodes.Unusable;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            await error.WriteLineAsync($"There is no file '{file}'.");
            return ExitCodes.Unusable;
        }
        catch (UnauthorizedAccessException exception)
        {
            await error.WriteLineAsync(Directory.Exists(file) ? $"'{file}' is a folder. Give one file." : exception.Message);
            return ExitCodes.Unusable;
        }
        catch (IOException exception)
        {
            // Also a reader that has seen enough (head).
            await error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }
    }

    private static void Write(string reply, Utf8JsonWriter json, Stream lines)
    {
        var verdict = ReplyClassifier.Of(reply.Replace("\\r", "", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal));
        var wait = verdict.RetryAfter ?? (verdict.Action is ReplyAction.Retry or ReplyAction.Alert ? RetryDelay.First(RetryRules.Default, verdict.Class) : null);
        json.WriteStartObject();
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

        json.WriteEndObject();
        json.Flush();
        json.Reset();
        lines.WriteByte((byte)'\n');
    }
}
