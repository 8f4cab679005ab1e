using System.Runtime.InteropServices;

namespace Edm.Host.Hosting;

/// <summary>
/// glibc gives up to eight threads a core a heap of their own, and each keeps what its busiest moment took, such as compiling a large method: 60 MB after an import, hardly any of
/// which is in use. So there are two heaps, and what is free in them goes back to the system every other second, which takes 0.3 ms.
/// </summary>
internal static partial class NativeMemory
{
    /// <summary><c>M_ARENA_MAX</c> of glibc's malloc.h.</summary>
    private const int ArenaMax = -8;

    private const int Arenas = 2;

    private static readonly TimeSpan GiveBackEvery = TimeSpan.FromSeconds(2);

    // Held, or it would be collected.
    private static Timer? _giveBack;

    /// <summary>To be called before there are many threads. Does nothing where the C library is another one.</summary>
    public static void Limit()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = SetMallocOption(ArenaMax, Arenas);
            _ = Trim(0);
            _giveBack = new Timer(static _ => _ = Trim(0), null, GiveBackEvery, GiveBackEvery);
        }
        catch (Exception other) when (other is EntryPointNotFoundException or DllNotFoundException)
        {
            // musl has neither arenas nor anything to trim.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetMallocOption(int option, int value);

    /// <summary>Gives free pages of all heaps back to the system.</summary>
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
