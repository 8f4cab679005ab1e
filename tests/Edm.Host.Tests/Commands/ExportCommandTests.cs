using System.Text;
using Edm.Engine.Settings;
using Edm.Host.Commands;
using Edm.Host.Screen;
using Edm.Testing;

namespace Edm.Host.Tests.Commands;

public sealed class ExportCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public async Task Contacts_go_to_standard_output_and_the_rest_where_errors_go()
    {
        await ImportAsync("email,followers\na@example.com,5\nb@example.com,500\n");
        using var output = new MemoryStream();

        Assert.Equal(0, await RunAsync(new ExportArguments(Filter: "followers > 10"), output));

        var text = Encoding.UTF8.GetString(output.ToArray());
        Assert.StartsWith("\uFEFFedm.id,", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("b@example.com", text, StringComparison.Ordinal);
        Assert.Contains("writing [########################] 100 %  1 contact", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 contact of admin in ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list.csv", "\uFEFFedm.id,")]
    [InlineData("list.ndjson", "{\"edm\":{")]
    [InlineData("list.ndjson.gz", "\u001F")]
    public async Task A_file_has_its_name_when_it_is_whole_and_its_format_by_the_name(string name, string start)
    {
        await ImportAsync("email\na@example.com\n");

        Assert.Equal(0, await RunAsync(new ExportArguments(Out: _folder.Combine(name)), Stream.Null));

        Assert.StartsWith(start, Encoding.UTF8.GetString(await File.ReadAllBytesAsync(_folder.Combine(name))), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Combine(name + ".part")));
        Assert.Contains($", in {_folder.Combine(name)}", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "folowers > 3", null, null, 2, "The filter can't be used: ")]
    [InlineData(null, null, "xlsx", null, 2, "'xlsx' is not a format: csv or ndjson.")]
    [InlineData("nobody", null, null, null, 2, "There is no user 'nobody'.")]
    [InlineData(null, null, null, "no/such/list.csv", 1, "It can't be written: ")]
    public async Task What_can_not_be_done_is_said_and_leaves_no_file(string? user, string? filter, string? format, string? file, int code, string message)
    {
        Assert.Equal(code, await RunAsync(new ExportArguments(user, filter, format, _folder.Combine(file ?? "list.csv")), Stream.Null));

        Assert.Contains(message, _error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Combine("list.csv")) || File.Exists(_folder.Combine("list.csv.part")));
    }

    [Fact]
    public async Task An_export_that_is_interrupted_leaves_no_file()
    {
        using var stop = new CancellationTokenSource();
        await ImportAsync("email\na@example.com\n");
        await stop.CancelAsync();

        Assert.Equal(1, await ExportCommand.RunAsync(Settings(), new ExportArguments(Out: _folder.Combine("list.csv")), Terminal, Stream.Null, stop.Token));

        Assert.Contains("Interrupted. No file was written.", _error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Combine("list.csv")));
    }

    public void Dispose()
    {
        _error.Dispose();
        _folder.Dispose();
    }

    private Terminal Terminal => new(_error, _error, Rewrites: false, () => 80);

    private async Task ImportAsync(string list)
    {
        var file = _folder.Combine("import.csv");
        await File.WriteAllTextAsync(file, list);
        using var said = new StringWriter();
        Assert.Equal(0, await ImportCommand.RunAsync(Settings(), new ImportArguments(file), new Terminal(said, said, Rewrites: false, () => 80), default));
    }

    private Task<int> RunAsync(ExportArguments arguments, Stream output) => ExportCommand.RunAsync(Settings(), arguments, Terminal, output, default);

    private EdmSettings Settings() => EdmSettings.Read(
        new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), name => name == "EDM_DATA" ? _folder.Combine("data") : null).Load());
}
