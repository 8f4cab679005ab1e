using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Engine.Contacts.Addresses;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>
/// <c>inspect address</c>: one JSON object a line and address, <c>{address, valid, normal, ascii, role, disposable, suggestion, reason}</c>. Answers stand in the order
/// of the questions, also for empty lines, so that they can be laid beside the list. The exit code says whether the list could be read, not what was in it.
/// </summary>
internal static class InspectAddressCommand
{
    private const int Buffer = 64 * 1024;

    // People read it too; nothing of it goes into a page.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var addresses = new Argument<string[]>("ADDRESS") { Description = "One or more addresses, each taken as it is.", Arity = ArgumentArity.ZeroOrMore };
        var file = new Option<string?>("--file") { Description = "A file in UTF-8 with one address a line, each taken as it is; - is standard input.", HelpName = "FILE" };
        var gmail = new Option<bool>("--fold-gmail") { Description = "In 'normal', leave out what does not count at Gmail: dots, and the part from + on." };
        var command = new Command("address", "Show of each address whether it is one, and what EDM takes it for.") { addresses, file, gmail };
        command.SetAction((parsed, cancellation) => RunAsync(
            parsed.GetValue(addresses) ?? [], parsed.GetValue(file), parsed.GetValue(gmail), Console.OpenStandardInput, Console.OpenStandardOutput(), Terminal.OfProcess.Error, cancellation));
        return command;
    }

    /// <returns>The exit code; what is not 0 has been explained.</returns>
    internal static async Task<int> RunAsync(
        string[] addresses, string? file, bool foldGmail, Func<Stream> input, Stream output, TextWriter error, CancellationToken cancellation)
    {
        // Said here and not by the command line's library, which prints its help to standard output.
        if (addresses.Length > 0 == file is not null)
        {
            await error.WriteLineAsync(file is null ? "Give an address, or a list with --file FILE ('-' is standard input)." : "Give addresses or --file, not both.");
            return ExitCodes.Unusable;
        }

        await using var lines = new BufferedStream(output, Buffer);
        await using var json = new Utf8JsonWriter(lines, Readable);
        try
        {
            foreach (var address in addresses)
            {
                Write(AddressReport.Of(address, foldGmail), json, lines);
            }

            if (file is not null)
            {
                await using var source = file == "-" ? input() : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                foreach (var line in new AddressLines(source))
                {
                    cancellation.ThrowIfCancellationRequested();
                    var report = AddressReport.Of(line.Text, foldGmail);
                    Write(line.IsWhole ? report : TooLong(line.Text), json, lines);
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

    private static AddressReport TooLong(string beginning) =>
        new(beginning, false, null, null, false, false, null, $"the line has more than {AddressLines.MaxOctets} octets, of which only the beginning is shown");

    private static void Write(AddressReport report, Utf8JsonWriter json, Stream lines)
    {
        json.WriteStartObject();
        json.WriteString("address", report.Address);
        json.WriteBoolean("valid", report.Valid);
        json.WriteString("normal", report.Normal);
        json.WriteString("ascii", report.Ascii);
        json.WriteBoolean("role", report.Role);
        json.WriteBoolean("disposable", report.Disposable);
        json.WriteString("suggestion", report.Suggestion);
        json.WriteString("reason", report.Reason);
        json.WriteEndObject();
        json.Flush();
        json.Reset();
        lines.WriteByte((byte)'\n');
    }
}
