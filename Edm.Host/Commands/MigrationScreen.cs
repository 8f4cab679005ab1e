using Edm.Engine.TagMigration;
using Edm.Host.Screen;

namespace Edm.Host.Commands;

/// <summary>Shows how far a step of a migration of tags is.</summary>
internal sealed class MigrationScreen(Terminal terminal, TimeProvider time) : IProgress<MigrationProgress>
{
    private readonly LiveLine _line = new(terminal, time, TimeSpan.FromSeconds(5));
    private string _step = "";
    private long _since;

    public void Report(MigrationProgress value)
    {
        if (value.Step != _step)
        {
            (_step, _since) = (value.Step, time.GetTimestamp());
        }

        _line.Show(Text(value, time.GetElapsedTime(_since)));
    }

    public void Clear() => _line.Clear();

    internal static string Text(MigrationProgress progress, TimeSpan elapsed)
    {
        var share = progress.All > 0 ? (double)progress.Done / progress.All.Value : 0;
        var left = Words.Left(elapsed, share) is { } time ? $"  {Words.Clock(time)} left" : "";
        return $"{progress.Step}{(progress.All is null ? "" : $" {Words.Bar(share)}")}  {Words.Count(progress.Done)}{left}{(progress.Note is null ? "" : $"  {progress.Note}")}";
    }
}
