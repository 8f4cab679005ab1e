using Edm.Contracts;
using Edm.Engine.Imports;
using Edm.Host.Commands;
using Edm.Host.Screen;

namespace Edm.Host.Tests.Commands;

public sealed class ImportScreenTests
{
    private static readonly Terminal Nowhere = new(TextWriter.Null, TextWriter.Null, false, () => 80);

    [Fact]
    public void Reading_is_measured_in_bytes_of_the_file()
    {
        var text = Text(1000, new ImportProgress(new ImportId(1), ImportState.Reading, 250, 5000, 0, 0), seconds: 2);

        Assert.Equal("reading [######------------------]  25 %  5,000 rows  2,500/s  0:06 left", text);
    }

    [Fact]
    public void Storing_is_measured_in_rows()
    {
        var text = Text(1000, new ImportProgress(new ImportId(1), ImportState.Merging, 1000, 5000, 1000, 2000), seconds: 1);

        Assert.Equal("storing [#########---------------]  40 %  2,000 rows  2,000/s  0:02 left  1,000 refused", text);
    }

    [Fact]
    public void A_pipe_has_no_end_to_measure_by()
    {
        var text = Text(null, new ImportProgress(new ImportId(1), ImportState.Reading, 2048, 10, 0, 0), seconds: 1);

        Assert.Equal("reading 2.0 KiB  10 rows  10/s", text);
    }

    private static string Text(long? bytes, ImportProgress progress, int seconds) =>
        new ImportScreen(Nowhere, bytes, TimeProvider.System).Text(progress, TimeSpan.FromSeconds(seconds));
}
