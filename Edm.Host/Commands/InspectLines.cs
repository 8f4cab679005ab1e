using System.Text.Encodings.Web;
using System.Text.Json;

namespace Edm.Host.Commands;

/// <summary>
/// What the commands share that inspect one thing after the other: they are given in the command line or one a line in a file, the answer is one JSON object a line, and what can't
/// be read is explained. The exit code says whether the list could be read, not what was in it.
/// </summary>
/// <param name="one">What is inspected, such as "an address".</param>
/// <param name="many">The same in the plural.</param>
internal sealed class InspectLines(string one, string many)
{
    private const int Buffer = 64 * 1024;

    // People read it too; nothing of it goes into a page.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="file">Null: what was given is inspected; - is standard input.</param>
    /// <param name="answer">Writes one object.</param>
    /// <returns>The exit code; what is not 0 has been explained.</returns>
    public async Task<int> RunAsync(
        string[] given, string? file, Func<Stream> input, Stream output, TextWriter error, Action<AddressLine, Utf8JsonWriter> answer, CancellationToken cancellation)
    {
        // Said here and not by the command line's library, which prints its help to standard output.
        if (given.Length > 0 == file is not null)
        {
            await error.WriteLineAsync(file is null ? $"Give {one}, or a list with --file FILE ('-' is standard input)." : $"Give {many} or --file, not both.");
            return ExitCodes.Unusable;
        }

        await using var lines = new BufferedStream(output, Buffer);
        await using var json = new Utf8JsonWriter(lines, Readable);
        try
        {
            foreach (var text in given)
            {
                Answer(new AddressLine(text, IsWhole: true));
            }

            if (file is not null)
            {
                await using var source = file == "-" ? input() : new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
                foreach (var line in new AddressLines(source))
                {
                    cancellation.ThrowIfCancellationRequested();
                    Answer(line);
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

        void Answer(AddressLine line)
        {
            json.WriteStartObject();
            answer(line, json);
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            lines.WriteByte((byte)'\n');
        }
    }
}
