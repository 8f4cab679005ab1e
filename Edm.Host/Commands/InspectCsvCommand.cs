using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Imports;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary><c>inspect csv FILE...</c>: what an import would make of files; <c>inspect csv --table FILE</c>: the whole of one as a clean table.</summary>
internal static class InspectCsvCommand
{
    private static readonly JsonSerializerOptions Line = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Pretty = new(Line) { WriteIndented = true };

    public static Command Create()
    {
        var files = new Argument<string[]>("FILE") { Description = "CSV in any dialect and encoding, also packed with gzip.", Arity = ArgumentArity.OneOrMore };
        var table = new Option<bool>("--table")
        {
            Description = "Print the whole file as one clean table (RFC 4180: UTF-8, commas, CR LF, quotes only where needed), its header first where it has one. "
                + "Titles and remarks before the header, remark lines (#) and empty lines are left out. Every row gets as many cells as the widest row has: a row with fewer, "
                + "the header too, is filled up with empty cells, so that nothing is lost. Where the file is broken the table ends; standard error tells where, and the exit code is 1.",
        };
        var pretty = new Option<bool>("--pretty") { Description = "Print the JSON over many lines, for people. Without it each file is one line." };
        var rows = new Option<int>("--rows") { Description = $"How many rows to show, up to {FilePreview.MaxRows}.", DefaultValueFactory = _ => FilePreview.UsualRows, HelpName = "COUNT" };
        var mapping = new Option<string?>("--mapping") { Description = "A JSON file {\"column name\": \"email\" | \"attribute:NAME\" | \"ignore\" ...} that says what columns are.", HelpName = "FILE" };
        var command = new Command("csv", "Show the dialect of CSV files, what each column is taken for and why, and the first rows as an import would store them; one JSON object a file.")
        {
            files, table, pretty, rows, mapping,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var terminal = Terminal.OfProcess;
            var names = parsed.GetRequiredValue(files);
            if (parsed.GetValue(table))
            {
                if (names.Length > 1)
                {
                    await terminal.Error.WriteLineAsync("A table is made of one file. Name one.");
                    return ExitCodes.Unusable;
                }

                await using var output = Console.OpenStandardOutput();
                return await TableAsync(names[0], output, terminal.Error, cancellation);
            }

            await using var to = Console.OpenStandardOutput();
            var show = new InspectCsvArguments(names, parsed.GetValue(pretty), Math.Clamp(parsed.GetValue(rows), 1, FilePreview.MaxRows), parsed.GetValue(mapping));
            return await ShowAsync(show, to, terminal.Error, cancellation);
        });
        return command;
    }

    /// <returns>The exit code; whatever is not 0 has been explained.</returns>
    internal static async Task<int> ShowAsync(InspectCsvArguments arguments, Stream output, TextWriter error, CancellationToken cancellation)
    {
        var options = new ImportOptions(ImportFormat.Csv);
        if (arguments.Mapping is { } mapping)
        {
            try
            {
                options = options with { Mapping = ColumnMappingOverride.FromJson(await File.ReadAllTextAsync(mapping, cancellation)) };
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or FieldException)
            {
                await error.WriteLineAsync($"The mapping {mapping} can't be used: {exception.Message}");
                return ExitCodes.Unusable;
            }
        }

        var exit = 0;
        foreach (var name in arguments.Files)
        {
            ImportPreview preview;
            try
            {
                await using var file = Open(name);
                preview = await FilePreview.OfAsync(file, name, options, arguments.Rows, cancellation);
            }
            catch (Exception exception) when (exception is ImportFormatException or IOException or UnauthorizedAccessException)
            {
                var format = exception as ImportFormatException;
                preview = new ImportPreview(name, null, null, [], [], [], [], new ImportFileProblem(exception.Message, format?.Line, format?.Offset));
                exit = ExitCodes.Failed;
            }

            await JsonSerializer.SerializeAsync(output, preview, arguments.Pretty ? Pretty : Line, cancellation);
            await output.WriteAsync("\n"u8.ToArray(), cancellation);
        }

        return exit;
    }

    /// <returns>The exit code; whatever is not 0 has been explained.</returns>
    internal static async Task<int> TableAsync(string name, Stream output, TextWriter error, CancellationToken cancellation)
    {
        try
        {
            if (!File.Exists(name) || new FileInfo(name).Length > 0)
            {
                var written = await CsvTable.WriteAsync(() => Open(name), name, output, cancellation);
                if (written.Problem is { } problem)
                {
                    await error.WriteLineAsync(problem.Message);
                    return ExitCodes.Failed;
                }
            }

            // A file with nothing in it is a table with nothing in it.
            return 0;
        }
        catch (Exception exception) when (exception is ImportFormatException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(exception.Message);
            return ExitCodes.Failed;
        }
    }

    private static FileStream Open(string name) => new(name, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
}

/// <param name="Mapping">The name of a JSON file; null when columns are to be recognised.</param>
internal sealed record InspectCsvArguments(IReadOnlyList<string> Files, bool Pretty = false, int Rows = FilePreview.UsualRows, string? Mapping = null);
