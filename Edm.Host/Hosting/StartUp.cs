using Edm.Engine.Services;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.Users;

namespace Edm.Host.Hosting;

/// <summary>What must be done before anything else starts: take the data folder, migrate the database, see that an administrator can get in.</summary>
internal sealed partial class StartUp(
    EdmSettings settings, EdmDatabase database, Migrator migrator, AdministratorKey administrator, ServiceStore services, TimeProvider time,
    ILogger<StartUp> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan DatabaseRetry = TimeSpan.FromSeconds(2);

    private DataFolderLock? _folder;

    /// <exception cref="StorageException">The folder or the database can't be used; the message says what to do.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        MakeFolder(settings.DataFolder);
        if (!settings.Storage.IsPostgres)
        {
            _folder = DataFolderLock.Acquire(settings.DataFolder);
        }

        await MigrateAsync(cancellationToken);
        await services.CheckMasterKeyAsync(cancellationToken);
        if (await administrator.EnsureAsync(cancellationToken))
        {
            LogKey(administrator.FilePath);
        }

        LogStorage(database.Settings.ToString());
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Not in StopAsync: the folder is ours until everything that writes there has been disposed of.
    public void Dispose() => _folder?.Dispose();

    // It holds keys: for its owner only.
    private static void MakeFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>A database that is not up yet is waited for: after a power cut everything starts at once.</summary>
    private async Task MigrateAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await migrator.MigrateAsync(cancellation);
                return;
            }
            catch (Exception exception) when (StorageFaults.IsTransient(exception))
            {
                LogWaiting(exception.Message);
                await Task.Delay(DatabaseRetry, time, cancellation);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "The database can't be reached, waiting for it: {Reason}")]
    private partial void LogWaiting(string reason);

    [LoggerMessage(LogLevel.Information, "The administrator's key is in {File}")]
    private partial void LogKey(string file);

    [LoggerMessage(LogLevel.Information, "Storage: {Storage}")]
    private partial void LogStorage(string storage);
}
