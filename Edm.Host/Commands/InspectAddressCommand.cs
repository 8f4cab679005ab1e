using System.CommandLine;
using System.Text.Json;
using Edm.Engine.Contacts.Addresses;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>
/// <c>inspect address</c>: one JSON object a line and address, <c>{address, valid, normal, ascii, role, disposable, suggestion, reason}</c>. Answers stand in the order
/// of the questions, also for empty lines, so that they can be laid beside the list.
/// </summary>
internal static class InspectAddressCommand
{
    private static readonly InspectLines Lines = new("an address", "addresses");

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
    internal static Task<int> RunAsync(
        string[] addresses, string? file, bool foldGmail, Func<Stream> input, Stream output, TextWriter error, CancellationToken cancellation) =>
        Lines.RunAsync(
            addresses, file, input, output, error, (line, json) => Write(line.IsWhole ? AddressReport.Of(line.Text, foldGmail) : TooLong(line.Text), json), cancellation);

    private static AddressReport TooLong(string beginning) =>
        new(beginning, false, null, null, false, false, null, $"the line has more than {AddressLines.MaxOctets} octets, of which only the beginning is shown");

    private static void Write(AddressReport report, Utf8JsonWriter json)
    {
        json.WriteString("address", report.Address);
        json.WriteBoolean("valid", report.Valid);
        json.WriteString("normal", report.Normal);
        json.WriteString("ascii", report.Ascii);
        json.WriteBoolean("role", report.Role);
        json.WriteBoolean("disposable", report.Disposable);
        json.WriteString("suggestion", report.Suggestion);
        json.WriteString("reason", report.Reason);
    }
}
