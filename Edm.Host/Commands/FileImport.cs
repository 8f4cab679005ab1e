using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Engine.Storage;
using Edm.Engine.Users;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>One file from the command line into the contacts, with what a person wants to see of it.</summary>
internal sealed class FileImport(IServiceProvider services, ImportArguments arguments, Terminal terminal)
{
    /// <summary>Of the refused rows so many are shown; all of them are kept.</summary>
    private const int ShownErrors = 5;

    private readonly TimeProvider _time = services.GetRequiredService<TimeProvider>();
    private readonly UserStore _users = services.GetRequiredService<UserStore>();
    private readonly ImportStore _imports = services.GetRequiredService<ImportStore>();

    /// <returns>The exit code.</returns>
    /// <exception cref="ImportFormatException">The file can't be read.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        if (await CommandUser.FindAsync(_users, arguments.User, cancellation) is not { } user)
        {
            await terminal.Error.WriteLineAsync($"There is no user '{arguments.User}'.");
            return ExitCodes.Unusable;
        }

        await using var errors = OpenErrors();
        if (arguments.Errors is not null && errors is null)
        {
            return ExitCodes.Unusable;
        }

        var started = _time.GetTimestamp();
        await using var file = new FileStream(arguments.File, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        await terminal.Out.WriteLineAsync($"{arguments.File} ({(file.CanSeek ? Words.Size(file.Length) : "a pipe")}) for {user.Name}, into {services.GetRequiredService<StorageSettings>()}");
        var summary = await ImportAsync(user, file, cancellation);
        await SummaryAsync(summary, _time.GetElapsedTime(started));
        await ShowErrorsAsync(user.Id, summary, cancellation);
        if (errors is not null)
        {
            await services.GetRequiredService<ErrorsCsv>().WriteAsync(user.Id, summary.Import, ErrorsForm.Reasons, errors, cancellation);
            await terminal.Out.WriteLineAsync($"The refused rows are in {arguments.Errors}");
        }

        return 0;
    }

    /// <summary>Before the import, which may take an hour and should not end in a file that can't be written.</summary>
    private FileStream? OpenErrors()
    {
        if (arguments.Errors is not { } path)
        {
            return null;
        }

        try
        {
            return Path.GetFullPath(path) == Path.GetFullPath(arguments.File)
                ? throw new IOException("It is the file to import.")
                : File.Create(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine($"'{path}' can't be written: {exception.Message}");
            return null;
        }
    }

    /// <summary>What the daemon does at its start, because it may never have been started here.</summary>
    private async Task PrepareAsync(CancellationToken cancellation)
    {
        await services.GetRequiredService<Migrator>().MigrateAsync(cancellation);
        var administrator = services.GetRequiredService<AdministratorKey>();
        if (await administrator.EnsureAsync(cancellation))
        {
            await terminal.Out.WriteLineAsync($"The administrator's key is in {administrator.FilePath}");
        }

        await services.GetRequiredService<ImportRecovery>().MarkAsync(cancellation);
    }

    private async Task<ImportSummary> ImportAsync(User user, FileStream file, CancellationToken cancellation)
    {
        var screen = new ImportScreen(terminal, file.CanSeek ? file.Length : null, _time);
        try
        {
            return await services.GetRequiredService<Importer>()
                .RunAsync(user.Id, file, Path.GetFileName(arguments.File), arguments.Options, screen, cancellation);
        }
        finally
        {
            screen.Clear();
        }
    }

    private async Task SummaryAsync(ImportSummary summary, TimeSpan elapsed)
    {
        await terminal.Out.WriteLineAsync($"Import {summary.Import}: {Words.Count(summary.Rows, "row")} in {Words.Span(elapsed)}{(arguments.Options.DryRun ? ". A dry run: nothing was written. It would have come to" : "")}");
        foreach (var (count, what) in ((long, string)[])
            [
                (summary.Created, "new contacts"),
                (summary.Updated, "changed contacts"),
                (summary.Unchanged, "contacts that were stored exactly so"),
                (summary.Doubled, "rows more for a contact that another row has already"),
                (summary.Rejected, "rows refused"),
                (summary.Suppressed, "rows of people who are not brought back"),
            ])
        {
            if (count == 0 && what.EndsWith("brought back", StringComparison.Ordinal))
            {
                continue;
            }

            await terminal.Out.WriteLineAsync($"  {Words.Count(count),12}  {what}");
        }
    }

    private async Task ShowErrorsAsync(UserId user, ImportSummary summary, CancellationToken cancellation)
    {
        if (summary.Rejected == 0)
        {
            return;
        }

        await terminal.Out.WriteLineAsync(summary.Rejected > ShownErrors ? $"The first {ShownErrors} refused rows:" : "The refused rows:");
        foreach (var error in await _imports.ErrorsAsync(user, summary.Import, 0, ShownErrors, cancellation))
        {
            var value = error.Value.Length > 0 ? $" {Words.Foreign(error.Value)}" : "";
            await terminal.Out.WriteLineAsync($"  line {error.Line}, {Words.Foreign(error.Field).Trim('"')}:{value} {error.Reason}");
        }

        await terminal.Out.WriteLineAsync($"All of them: GET /v1/imports/{summary.Import}/errors");
    }
}
