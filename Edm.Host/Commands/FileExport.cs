using System.IO.Compression;
using Edm.Engine.Contacts.Export;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Storage;
using Edm.Engine.Users;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>Contacts into one file, with what a person wants to see of it. The file has its name only when it is whole.</summary>
internal sealed class FileExport(IServiceProvider services, ExportArguments arguments, ExportFormat format, Terminal terminal)
{
    private readonly TimeProvider _time = services.GetRequiredService<TimeProvider>();

    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(Stream standard, CancellationToken cancellation)
    {
        await services.GetRequiredService<Migrator>().MigrateAsync(cancellation);
        await services.GetRequiredService<AdministratorKey>().EnsureAsync(cancellation);
        if (await CommandUser.FindAsync(services.GetRequiredService<UserStore>(), arguments.User, cancellation) is not { } user)
        {
            await terminal.Error.WriteLineAsync($"There is no user '{arguments.User}'.");
            return ExitCodes.Unusable;
        }

        var started = _time.GetTimestamp();
        var run = await services.GetRequiredService<ContactExport>().BeginAsync(user.Id, ContactFilter.Parse(arguments.Filter), format, cancellation);
        var written = arguments.Out is { } path ? await ToFileAsync(run, path, cancellation) : await WriteAsync(run, standard, cancellation);
        await terminal.Error.WriteLineAsync($"{Words.Count(written, "contact")} of {user.Name} in {Words.Span(_time.GetElapsedTime(started))}{(arguments.Out is null ? "" : $", in {arguments.Out}")}");
        return 0;
    }

    private async Task<long> ToFileAsync(ExportRun run, string path, CancellationToken cancellation)
    {
        var part = $"{path}.part";
        try
        {
            long written;
            await using (var file = File.Create(part))
            {
                written = arguments.IsPacked ? await PackAsync(run, file, cancellation) : await WriteAsync(run, file, cancellation);
                file.Flush(flushToDisk: true);
            }

            File.Move(part, path, overwrite: true);
            return written;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    private async Task<long> PackAsync(ExportRun run, Stream file, CancellationToken cancellation)
    {
        await using var packed = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true);
        return await WriteAsync(run, packed, cancellation);
    }

    private async Task<long> WriteAsync(ExportRun run, Stream output, CancellationToken cancellation)
    {
        var screen = new ExportScreen(terminal, run.Contacts, _time);
        try
        {
            return await run.WriteAsync(output, screen, cancellation);
        }
        finally
        {
            screen.Clear();
        }
    }
}

/// <summary>Shows how far an export is.</summary>
internal sealed class ExportScreen(Terminal terminal, long contacts, TimeProvider time) : IProgress<long>
{
    private readonly LiveLine _line = new(terminal, time, TimeSpan.FromSeconds(5));
    private readonly long _since = time.GetTimestamp();

    public void Report(long value)
    {
        var elapsed = time.GetElapsedTime(_since);
        var share = contacts > 0 ? Math.Min((double)value / contacts, 1) : 1;
        var rate = elapsed > TimeSpan.Zero ? $"  {Words.Count((long)(value / elapsed.TotalSeconds))}/s" : "";
        var left = Words.Left(elapsed, share) is { } rest ? $"  {Words.Clock(rest)} left" : "";
        _line.Show($"writing {Words.Bar(share)}  {Words.Count(value, "contact")}{rate}{left}");
    }

    public void Clear() => _line.Clear();
}
