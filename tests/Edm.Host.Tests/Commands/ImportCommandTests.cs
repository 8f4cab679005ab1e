using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Host.Commands;
using Edm.Host.Demo;
using Edm.Host.Screen;
using Edm.Testing;

namespace Edm.Host.Tests.Commands;

public sealed class ImportCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public async Task A_list_is_imported_into_a_folder_where_nothing_was_before()
    {
        await using (var file = File.Create(_folder.Combine("creators.csv")))
        await using (var creators = DemoFiles.Open(DemoFiles.Creators))
        {
            await creators.CopyToAsync(file);
        }

        Assert.Equal(0, await RunAsync("creators.csv"));

        var said = _out.ToString();
        Assert.Contains(" KiB) for admin", said, StringComparison.Ordinal);
        Assert.Contains("for admin, into SQLite in ", said, StringComparison.Ordinal);
        Assert.Contains("Import 1: 1,000 rows in ", said, StringComparison.Ordinal);
        Assert.Contains("         925  new contacts\n", said, StringComparison.Ordinal);
        Assert.Contains("          40  rows refused\n", said, StringComparison.Ordinal);
        Assert.Contains("GET /v1/imports/1/errors\n", said, StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task A_refused_row_is_shown_with_line_field_and_reason_and_written_where_it_is_wanted()
    {
        Write("list.csv", "email,followers\na@example.com,many\nb@example.com,3\n");

        Assert.Equal(0, await RunAsync("list.csv", errors: "refused.csv"));

        Assert.Contains("The refused rows:\n  line 2, followers: \"many\" not a number of followers", _out.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("line,field,value,reason\r\n2,followers,many,", await File.ReadAllTextAsync(_folder.Combine("refused.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_list_is_refused_with_the_line_and_stores_nothing()
    {
        Write("list.csv", "email,handle\na@example.com,ann\nb@example.com,\"never closed\n");

        Assert.Equal(1, await RunAsync("list.csv"));

        Assert.Contains("nothing of it was stored.\nLine 3, byte 31: A quote is opened", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing.csv", null, null, "There is no file")]
    [InlineData(".", null, null, "is a folder")]
    [InlineData("list.csv", "nobody", null, "There is no user 'nobody'.")]
    [InlineData("list.csv", null, "list.csv", "can't be written: It is the file to import.")]
    [InlineData("list.csv", null, "no/such/folder.csv", "can't be written")]
    public async Task What_the_command_line_names_wrongly_is_told_before_anything_begins(string file, string? user, string? errors, string message)
    {
        const string list = "email\na@example.com\n";
        Write("list.csv", list);

        Assert.Equal(2, await RunAsync(file, user, errors));

        Assert.Contains(message, _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Import 1", _out.ToString(), StringComparison.Ordinal);
        Assert.Equal(list, await File.ReadAllTextAsync(_folder.Combine("list.csv")));
    }

    [Fact]
    public async Task A_database_that_is_away_is_said_so()
    {
        Write("list.csv", "email\na@example.com\n");
        var settings = Settings() with { Storage = new StorageSettings($"Host=127.0.0.1;Port={FreePort.Next()};Username=edm;Timeout=2", _folder.Path) };

        Assert.Equal(1, await ImportCommand.RunAsync(settings, new ImportArguments(_folder.Combine("list.csv")), Terminal, default));

        Assert.StartsWith("The database can't be reached: ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_import_can_simply_be_repeated()
    {
        Write("list.csv", "email\na@example.com\n");
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        Assert.Equal(1, await ImportCommand.RunAsync(Settings(), new ImportArguments(_folder.Combine("list.csv")), Terminal, stop.Token));
        Assert.Equal(0, await RunAsync("list.csv"));

        Assert.StartsWith("Interrupted. Import the file again", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("           1  new contacts\n", _out.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _out.Dispose();
        _error.Dispose();
        _folder.Dispose();
    }

    private Terminal Terminal => new(_out, _error, Rewrites: false, () => 80);

    private void Write(string name, string content) => File.WriteAllText(_folder.Combine(name), content);

    private Task<int> RunAsync(string file, string? user = null, string? errors = null) => ImportCommand.RunAsync(
        Settings(), new ImportArguments(_folder.Combine(file), user, errors is null ? null : _folder.Combine(errors)), Terminal, default);

    private EdmSettings Settings() => EdmSettings.Read(
        new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), name => name == "EDM_DATA" ? _folder.Combine("data") : null).Load());
}
