using Edm.Engine.Imports;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>Shows how far an import is: by bytes while the file is read, by rows while they go into the contacts.</summary>
/// <param name="bytes">The size of the file; null when nobody knows, as of a pipe.</param>
internal sealed class ImportScreen(Terminal terminal, long? bytes, TimeProvider time) : IProgress<ImportProgress>
{
    private readonly LiveLine _line = new(terminal, time, TimeSpan.FromSeconds(5));
    private ImportState _state = ImportState.Reading;
    private long _since = time.GetTimestamp();

    public void Report(ImportProgress value)
    {
        if (value.State == ImportState.Finished)
        {
            return;
        }

        if (value.State != _state)
        {
            (_state, _since) = (value.State, time.GetTimestamp());
        }

        _line.Show(Text(value, time.GetElapsedTime(_since)));
    }

    public void Clear() => _line.Clear();

    internal string Text(ImportProgress progress, TimeSpan elapsed)
    {
        var reading = progress.State == ImportState.Reading;
        var (done, all) = reading ? (progress.BytesRead, bytes) : (progress.Merged, progress.Rows);
        var share = all > 0 ? Math.Min((double)done / all.Value, 1) : 0;
        var rows = reading ? progress.Rows : progress.Merged;
        var rate = elapsed > TimeSpan.Zero ? $"  {Words.Count((long)(rows / elapsed.TotalSeconds))}/s" : "";
        var left = Words.Left(elapsed, share) is { } time ? $"  {Words.Clock(time)} left" : "";
        var refused = progress.Rejected > 0 ? $"  {Words.Count(progress.Rejected)} refused" : "";
        return $"{(reading ? "reading" : "storing")} {(all is null ? Words.Size(done) : Words.Bar(share))}  {Words.Count(rows, "row")}{rate}{left}{refused}";
    }
}
