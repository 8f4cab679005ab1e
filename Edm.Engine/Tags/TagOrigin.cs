using System.Globalization;
using Edm.Contracts;

namespace Edm.Engine.Tags;

/// <summary>What decided on a change of tags.</summary>
public enum TagSource
{
    Person,
    Import,
    Rule,
    Ai,
}

/// <summary>Who changes tags, and how sure that is.</summary>
/// <param name="Actor">The name of the person's key, of the rule or of the model, or the number of the import.</param>
/// <param name="Confidence">0 to 1, where the source has one.</param>
public sealed record TagOrigin(TagSource Source, string Actor, double? Confidence = null)
{
    public static TagOrigin OfImport(ImportId import) => new(TagSource.Import, import.Value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>What an operation does, in the words of the API and the database.</summary>
public enum TagOperationKind
{
    Create,
    Add,
    Remove,
    Replace,
    Rename,
    Recolor,
    Merge,
    Delete,
    Undo,
}

public static class TagWords
{
    public static IReadOnlyList<string> Sources { get; } = ["person", "import", "rule", "ai"];

    private static readonly string[] Kinds = ["create", "add", "remove", "replace", "rename", "recolor", "merge", "delete", "undo"];

    public static string Name(this TagSource source) => Sources[(int)source];

    public static string Name(this TagOperationKind kind) => Kinds[(int)kind];

    internal static TagSource Source(string name) => (TagSource)Index(Sources, name);

    internal static TagOperationKind Kind(string name) => (TagOperationKind)Index(Kinds, name);

    private static int Index(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
            {
                return i;
            }
        }

        throw new InvalidOperationException($"'{name}' is none of {string.Join(", ", names)}.");
    }
}
