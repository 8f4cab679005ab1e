using Edm.Host.Screen;
using Edm.Testing;

namespace Edm.Host.Tests.Screen;

public sealed class LiveLineTests : IDisposable
{
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly ManualTime _time = new();

    [Fact]
    public void Before_a_person_a_line_is_written_over()
    {
        var line = Line(rewrites: true);

        line.Show("one");
        line.Show("two");

        Assert.Equal("\rone\e[K\rtwo\e[K", _out.ToString());
    }

    [Fact]
    public void A_line_wider_than_the_window_is_cut_because_a_wrapped_one_can_not_be_written_over()
    {
        Line(rewrites: true, width: 5).Show("123456789");

        Assert.Equal("\r1234\e[K", _out.ToString());
    }

    [Fact]
    public void Into_a_file_there_is_a_line_now_and_then()
    {
        var line = Line(rewrites: false);

        line.Show("at 0 s");
        _time.Advance(TimeSpan.FromSeconds(4));
        line.Show("at 4 s");
        _time.Advance(TimeSpan.FromSeconds(1));
        line.Show("at 5 s");
        line.Clear();

        Assert.Equal("at 0 s\nat 5 s\n", _out.ToString());
    }

    [Fact]
    public void Clearing_leaves_an_empty_line_to_write_on()
    {
        var line = Line(rewrites: true);

        line.Show("one");
        line.Clear();
        line.Clear();

        Assert.Equal("\rone\e[K\r\e[K", _out.ToString());
    }

    public void Dispose() => _out.Dispose();

    private LiveLine Line(bool rewrites, int width = 80) => new(new Terminal(_out, TextWriter.Null, rewrites, () => width), _time, TimeSpan.FromSeconds(5));
}
