namespace Edm.Engine.Imports;

/// <summary>One value of a row that is not empty.</summary>
/// <param name="Text">Where a reader keeps it: until the reader's next row.</param>
internal readonly record struct ImportCell(ImportColumn Column, ReadOnlyMemory<char> Text)
{
    public ImportCell(ImportColumn column, string text)
        : this(column, text.AsMemory())
    {
    }

    /// <summary>For people: a new text each time, where it is not one already.</summary>
    public string Value => Text.ToString();
}
