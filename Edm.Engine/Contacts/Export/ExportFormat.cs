using System.Buffers;

namespace Edm.Engine.Contacts.Export;

public enum ExportFormat
{
    Csv,
    Ndjson,
}

public static class ExportFormats
{
    public static IReadOnlyList<string> All { get; } = ["csv", "ndjson"];

    public static string Name(this ExportFormat format) => All[(int)format];

    public static bool TryParse(string? name, out ExportFormat format)
    {
        var index = name is null ? 0 : All.ToList().IndexOf(name);
        format = (ExportFormat)Math.Max(index, 0);
        return index >= 0;
    }
}

/// <summary>A contact with what else is known of it.</summary>
/// <param name="Tags">In the order of their names.</param>
internal sealed record ExportedContact(ContactRow Row, long? LastSentAt, IReadOnlyList<string> Tags);

/// <summary>Writes contacts in one format. Used once; not thread-safe.</summary>
internal interface IExportWriter
{
    void Begin(IBufferWriter<byte> output);

    void Write(ExportedContact contact, IBufferWriter<byte> output);
}
