namespace Edm.Engine.TagMigration;

/// <summary>How far a migration is. Its name in the database and in reports is the kebab-case of this.</summary>
internal enum MigrationPhase
{
    /// <summary>Rows are being copied; the old system leads.</summary>
    Copying,

    /// <summary>All rows were copied once, and changes are followed; the old system leads.</summary>
    Following,

    /// <summary>A cut-over was begun. Until it is finished (repeat it) the old column may refuse writes already.</summary>
    CuttingOver,

    /// <summary>EDM leads; its changes are written back.</summary>
    CutOver,

    /// <summary>A roll-back was begun.</summary>
    RollingBack,

    /// <summary>The old system leads, and nothing of ours is left in it.</summary>
    RolledBack,
}

internal static class MigrationPhases
{
    private static readonly string[] Names = ["copying", "following", "cutting-over", "cut-over", "rolling-back", "rolled-back"];

    public static string Name(this MigrationPhase phase) => Names[(int)phase];

    public static MigrationPhase Parse(string name) =>
        Array.IndexOf(Names, name) is >= 0 and var index ? (MigrationPhase)index : throw new InvalidOperationException($"A migration has the unknown phase '{name}'.");
}
