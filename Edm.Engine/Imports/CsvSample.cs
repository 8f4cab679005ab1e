namespace Edm.Engine.Imports;

/// <summary>One of the first records of a file.</summary>
internal sealed record SampleRecord(string[] Cells)
{
    public int Filled { get; } = Cells.Count(c => !string.IsNullOrWhiteSpace(c));

    public bool IsBlank => Filled == 0;

    /// <summary>Its only cell begins as comments do; whether it is one depends on the others.</summary>
    public bool IsRemark => Cells.Length == 1 && CsvLayout.BeginsRemark(Cells[0]);
}

/// <summary>The first records of a file, by which its layout is found out.</summary>
internal static class CsvSample
{
    public const int MaxRecords = 200;

    public static List<SampleRecord> Read(ReadOnlySpan<char> text, bool isWhole, CsvDialect dialect)
    {
        var records = new List<SampleRecord>();
        var tokenizer = new CsvTokenizer(dialect);
        while (!text.IsEmpty && records.Count < MaxRecords)
        {
            var length = tokenizer.Read(text, isWhole);
            if (length < 0)
            {
                break;
            }

            var cells = new string[Math.Min(tokenizer.FieldCount, CsvTokenizer.MaxFields)];
            for (var i = 0; i < cells.Length; i++)
            {
                cells[i] = tokenizer.Field(text, i).ToString();
            }

            records.Add(new SampleRecord(cells));
            text = text[length..];
        }

        return records;
    }
}
