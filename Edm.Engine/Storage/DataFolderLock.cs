namespace Edm.Engine.Storage;

/// <summary>
/// Held while a process runs entities on the journal of a data folder: two processes on one embedded journal would be two of the same
/// entity, and every mail twice. The operating system lets go of it when the process ends, however it ends.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <exception cref="StorageException">Another process holds the folder, or the folder can't be written.</exception>
    public static DataFolderLock Acquire(string dataFolder)
    {
        var path = Path.Combine(SqliteFiles.MakeFolder(dataFolder), "edm.lock");
        try
        {
            return new DataFolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new StorageException($"The data folder '{dataFolder}' can't be written: {exception.Message}", exception);
        }
        catch (IOException exception)
        {
            throw new StorageException($"Another EDM process works in the data folder '{dataFolder}'. Stop it first, or give this one a folder of its own.", exception);
        }
    }

    public void Dispose() => _file.Dispose();
}
