namespace Edm.Engine.TagMigration;

/// <summary>What becomes of values that can be taken in more than one way. The defaults lose nothing.</summary>
/// <param name="SeparateVariants">
/// False: spellings that differ by case alone are one tag, named as the first one seen. True: each further spelling is a tag of its own, with a sign of its spelling behind its name,
/// because EDM compares names without regard to case.
/// </param>
/// <param name="ObjectName">Of an object, the field that names the tag; null: the object as JSON.</param>
internal sealed record TagPolicy(bool SeparateVariants = false, string? ObjectName = null);
