namespace Edm.Engine.TagMigration;

/// <summary>How far a step is.</summary>
/// <param name="Step">What is being done, in a word or two.</param>
/// <param name="All">Null: nobody knows, or it does not end.</param>
/// <param name="Note">What else is worth a look, for people.</param>
public sealed record MigrationProgress(string Step, long Done, long? All = null, string? Note = null);
