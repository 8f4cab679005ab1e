using System.Text.Json;
using Edm.Engine.Contacts.Export;

namespace Edm.Engine.Imports;

/// <summary>Rows that are JSON objects. A nested object becomes columns such as <c>stats.likes</c>, a list of plain values one value.</summary>
internal sealed class JsonRowReader(Stream content, bool isArray, ColumnMappingOverride? asked = null) : IRowReader
{
    /// <summary>A file names its columns in every row; more different names than this are read but not remembered.</summary>
    private const int MaxRememberedColumns = 2000;

    /// <summary>Longer names are read and not remembered: a hostile one fills a whole row.</summary>
    private const int MaxRememberedName = 256;

    private const int MaxDepth = 4;

    /// <summary>A row of nothing but brackets is no reason to refuse a file.</summary>
    private static readonly JsonDocumentOptions AnyDepth = new() { MaxDepth = ImportOptions.MaxRowBytes };

    private readonly JsonSlices _slices = new(content, isArray);
    private readonly Dictionary<string, ImportColumn> _columns = new(StringComparer.Ordinal);
    private readonly List<ImportCell> _cells = [];
    private bool _isExport;
    private bool _sawRow;
    private bool _sawAddressColumn;

    public long Line => _slices.Line;

    public List<ImportCell> Cells => _cells;

    public IReadOnlyList<string>? Header => null;

    /// <summary>Those that were seen by now.</summary>
    internal IReadOnlyCollection<ImportColumn> Columns => _columns.Values;

    public RowProblem? Problem { get; private set; }

    public string Original() => OriginalRow.OfCells(_cells);

    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        if (await _slices.NextAsync(cancellation) is not { } slice)
        {
            return false;
        }

        _cells.Clear();
        Problem = null;
        _sawRow = true;
        try
        {
            using var document = JsonDocument.Parse(slice, AnyDepth);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                Flatten(document.RootElement, "", 1);
            }
            else
            {
                Problem = RowProblem.Of(Line, "", document.RootElement.GetRawText(), "not an object such as {\"email\": ...}");
            }
        }
        catch (JsonException exception)
        {
            var line = Line + (exception.LineNumber ?? 0);
            throw new ImportFormatException(
                isArray ? "This is not JSON." : "This line is not a whole JSON object. NDJSON has one object on each line; a list over several lines must be an array in [ ].",
                line,
                inner: exception,
                offset: _slices.Offset);
        }

        return true;
    }

    public void EnsureAddressable()
    {
        if (_sawRow && !_sawAddressColumn)
        {
            throw new ImportFormatException("No row has a field for an e-mail address (email, bio_email, work_email ...), nor a bio that could hold one.");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Flatten(JsonElement parent, string prefix, int depth)
    {
        foreach (var property in parent.EnumerateObject())
        {
            try
            {
                var name = prefix + property.Name;
                if (property.Value.ValueKind == JsonValueKind.Object && depth < MaxDepth)
                {
                    Flatten(property.Value, name + ".", depth + 1);
                }
                else
                {
                    Add(name, property.Value);
                }
            }
            catch (InvalidOperationException)
            {
                // The parser checks escapes only when a text is taken out.
                Problem ??= RowProblem.Of(Line, prefix, "", "a text with a broken \\u escape (half of a surrogate pair)");
            }
        }
    }

    private void Add(string name, JsonElement value)
    {
        if (!_isExport && name == ExportNames.Id)
        {
            // The first member of the first row.
            _isExport = true;
            _columns.Clear();
        }

        var column = Column(name);
        _sawAddressColumn |= column.Field is ContactField.Email or ContactField.Bio;
        // A tag may hold what divides the members of a list in a text.
        var text = column.Field == ContactField.Tags && value.ValueKind == JsonValueKind.Array ? Listed(value) : Text(value);
        if (column.Field != ContactField.Ignored && !string.IsNullOrWhiteSpace(text))
        {
            _cells.Add(new ImportCell(column, text));
        }
    }

    private static string Listed(JsonElement names)
    {
        foreach (var name in names.EnumerateArray())
        {
            // Finds a broken escape.
            _ = name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        }

        return names.GetRawText();
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array when value.EnumerateArray().All(v => v.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)) =>
            string.Join("; ", value.EnumerateArray().Select(Text).Where(t => !string.IsNullOrWhiteSpace(t))),
        _ => value.GetRawText(),
    };

    private ImportColumn Column(string name)
    {
        if (!_columns.TryGetValue(name, out var column))
        {
            column = asked?.Column(name) ?? (_isExport ? ColumnMapping.OfExport(name) : ColumnMapping.Of(name));
            if (_columns.Count < MaxRememberedColumns && name.Length <= MaxRememberedName)
            {
                _columns.Add(name, column);
            }
        }

        return column;
    }
}
