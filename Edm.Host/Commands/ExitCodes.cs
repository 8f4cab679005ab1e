namespace Edm.Host.Commands;

/// <summary>What a command ends with, besides 0.</summary>
internal static class ExitCodes
{
    /// <summary>It did not work out.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the settings can't be used; nothing was begun.</summary>
    public const int Unusable = 2;
}
