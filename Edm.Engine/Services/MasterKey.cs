using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Edm.Engine.Storage;

namespace Edm.Engine.Services;

/// <summary>The 32 bytes under which the passwords of services are stored. From the settings, else from a file in the data folder that the first start makes.</summary>
public static partial class MasterKey
{
    public const int Length = 32;

    public const string FileName = "master.key";

    /// <param name="configured">Base64; null or empty to use the file.</param>
    /// <exception cref="StorageException">The key, or the file, does not hold 32 bytes in Base64, or the file can't be read or made.</exception>
    public static byte[] Load(string? configured, string dataFolder)
    {
        if (!string.IsNullOrWhiteSpace(configured))
        {
            return Parse(configured) ?? throw new StorageException($"edm.master-key (EDM_MASTER_KEY) is not {Length} bytes in Base64. `openssl rand -base64 {Length}` makes one.");
        }

        var file = Path.Combine(dataFolder, FileName);
        try
        {
            if (!File.Exists(file))
            {
                Make(file);
            }

            return Parse(File.ReadAllText(file))
                ?? throw new StorageException($"{file} does not hold {Length} bytes in Base64. Put the key back from a backup; without it the stored passwords of services can't be read.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"{file} can't be read or made: {exception.Message}", exception);
        }
    }

    private static void Make(string file)
    {
        SqliteFiles.MakeFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);

        // Whole or not at all: a key that was lost half-way would lock out every password stored under it.
        var half = $"{file}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var stream = new FileStream(half, options))
        {
            stream.Write(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(RandomNumberGenerator.GetBytes(Length)) + "\n"));
            stream.Flush(flushToDisk: true);
        }

        try
        {
            Claim(half, file);
        }
        catch (IOException) when (File.Exists(file))
        {
            // Somebody else was first; theirs is the key.
        }
        finally
        {
            File.Delete(half);
        }
    }

    /// <summary>
    /// Gives the file its name if nobody has it. File.Move alone let two keys come of eight that started at once: it does not keep its word against others that move at the same
    /// moment. link(2) fails where the name is taken.
    /// </summary>
    private static void Claim(string half, string file)
    {
        if (OperatingSystem.IsWindows() || (Link(half, file) != 0 && !File.Exists(file)))
        {
            // On Windows it does not overwrite; elsewhere the file system has no links.
            File.Move(half, file, overwrite: false);
        }
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);

    private static byte[]? Parse(string text)
    {
        var key = new byte[Length + 3];
        return Convert.TryFromBase64String(text.Trim(), key, out var length) && length == Length ? key[..Length] : null;
    }
}
