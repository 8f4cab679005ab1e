using Edm.Testing.Processes;

namespace Edm.Testing;

/// <summary>A folder of its own for one test, below the folder of this test process; gone with everything in it when disposed, or by the next run after a crash.</summary>
public sealed class TempFolder : IDisposable
{
    public TempFolder()
    {
        // Eight characters: the path of a unix socket in here must stay below 108 bytes.
        Path = System.IO.Path.Combine(RunFolder.Path, Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(Path);
    }

    public string Path { get; }

    public string Combine(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        // A server that was just killed may still be writing its last file while we delete.
        for (var attempt = 1; Directory.Exists(Path); attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && attempt < 5)
            {
            }
        }
    }
}
