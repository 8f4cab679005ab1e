namespace Edm.Engine.Imports;

/// <summary>The records of a CSV file, one at a time, with their places. Holds one record and a buffer.</summary>
internal sealed class CsvRecords
{
    /// <summary>What is looked at to find out the dialect.</summary>
    private const int SampleChars = 64 * 1024;

    private readonly TextSource _source;
    private readonly CsvTokenizer _tokenizer;
    private char[] _chars;
    private int _start;
    private int _next;
    private int _end;
    private bool _ended;
    private long _windowOffset;
    private long _nextLine = 1;

    private CsvRecords(TextSource source, CsvTokenizer tokenizer, char[] chars, int end, bool ended)
    {
        (_source, _tokenizer, _chars, _end, _ended) = (source, tokenizer, chars, end, ended);
        _windowOffset = source.Encoding.Mark;
    }

    public CsvDialect Dialect => _tokenizer.Dialect;

    public TextEncoding Encoding => _source.Encoding;

    /// <summary>The line in which the current record begins, counted from 1.</summary>
    public long Line { get; private set; }

    public int FieldCount => Math.Min(_tokenizer.FieldCount, CsvTokenizer.MaxFields);

    public QuoteFault Fault => _tokenizer.Fault;

    /// <summary>The field that has the fault.</summary>
    public int FaultField => Math.Min(_tokenizer.FaultField, FieldCount - 1);

    /// <summary>Until the next call.</summary>
    public ReadOnlySpan<char> Field(int index) => _tokenizer.Field(_chars.AsSpan(_start, _next - _start), index);

    /// <summary>As <see cref="Field"/>.</summary>
    public ReadOnlyMemory<char> FieldText(int index) => _tokenizer.FieldText(_chars.AsMemory(_start, _next - _start), index);

    /// <summary>Where the current record begins, in bytes.</summary>
    public long Offset => _windowOffset + Bytes(0, _start);

    /// <summary>The current record is a line with nothing on it.</summary>
    public bool IsBlank => _tokenizer is { FieldCount: 1, QuotedFields: 0 } && Field(0).IsWhiteSpace();

    /// <param name="find">Tells the dialect by the first characters; the flag says whether they are the whole file.</param>
    public static async Task<CsvRecords> OpenAsync(Stream content, Func<string, bool, CsvDialect> find, CancellationToken cancellation)
    {
        var source = new TextSource(content);
        var chars = new char[2 * SampleChars];
        var (end, ended) = (0, false);
        while (end < SampleChars && !ended)
        {
            var read = await source.ReadAsync(chars.AsMemory(end), cancellation);
            ended = read == 0;
            end += read;
        }

        // However the file came in pieces, the sample is the same.
        var dialect = find(new string(chars, 0, Math.Min(end, SampleChars)), ended && end <= SampleChars);
        return new CsvRecords(source, new CsvTokenizer(dialect), chars, end, ended);
    }

    /// <returns>False at the end.</returns>
    /// <exception cref="ImportFormatException">The record is too large, or no text.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellation)
    {
        _start = _next;
        Line = _nextLine;
        while (true)
        {
            if (_start < _end)
            {
                var length = _tokenizer.Read(_chars.AsSpan(_start, _end - _start), _ended);
                if (length >= 0)
                {
                    _next = _start + length;
                    _nextLine += LineBreaks(_chars.AsSpan(_start, length));
                    return true;
                }
            }
            else if (_ended)
            {
                return false;
            }

            await FillAsync(cancellation);
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellation)
    {
        if (_end - _start >= ImportOptions.MaxRowBytes)
        {
            throw new ImportFormatException(
                $"A row is larger than {ImportOptions.MaxRowBytes / 1024} KiB. Perhaps a quote is opened in it and never closed, or the file is no CSV.", Line, offset: Offset);
        }

        if (_start > 0)
        {
            _windowOffset += Bytes(0, _start);
            _chars.AsSpan(_start, _end - _start).CopyTo(_chars);
            _end -= _start;
            _start = 0;
        }

        if (_chars.Length - _end < SampleChars)
        {
            Array.Resize(ref _chars, _chars.Length * 2);
        }

        // A record that is not whole is read again from its start, so each time there should be a good deal more of it.
        var wanted = Math.Min(2 * _end + 1, _chars.Length - 64);
        do
        {
            var read = await _source.ReadAsync(_chars.AsMemory(_end), cancellation);
            _ended = read == 0;
            _end += read;
        }
        while (!_ended && _end < wanted);
    }

    private long Bytes(int start, int length) => Encoding.Encoding.GetByteCount(_chars, start, length);

    private int LineBreaks(ReadOnlySpan<char> record) => record.Count(Dialect.LineEnd == LineEnd.Cr ? '\r' : '\n');
}
