namespace Edm.Engine.Contacts.Addresses;

/// <summary>The tables beside this file that come from elsewhere; they are built into the assembly.</summary>
internal static class TableResource
{
    /// <summary>Line by line, without comments.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var stream = typeof(TableResource).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The table {name} is not built in.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#')
            {
                yield return line;
            }
        }
    }
}
