using System.Text;
using System.Text.Json;
using Edm.Host.Commands;
using Edm.Testing;

namespace Edm.Host.Tests.Commands;

public sealed class InspectAddressCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly StringWriter _error = new() { NewLine = "\n" };

    [Fact]
    public async Task Each_line_has_one_object_with_the_eight_keys_in_their_order()
    {
        var said = await InspectAsync("ann@Example.com\n\ninfo@mailinator.com\nJörg@hotmal.fr");

        Assert.Equal(
            """
            {"address":"ann@Example.com","valid":true,"normal":"ann@example.com","ascii":"ann@example.com","role":false,"disposable":false,"suggestion":null,"reason":null}
            {"address":"","valid":false,"normal":null,"ascii":null,"role":false,"disposable":false,"suggestion":null,"reason":"empty"}
            {"address":"info@mailinator.com","valid":true,"normal":"info@mailinator.com","ascii":"info@mailinator.com","role":true,"disposable":true,"suggestion":null,"reason":null}
            {"address":"Jörg@hotmal.fr","valid":true,"normal":"jörg@hotmal.fr","ascii":null,"role":false,"disposable":false,"suggestion":"Jörg@hotmail.fr","reason":null}

            """.ReplaceLineEndings("\n"),
            said);
        Assert.Empty(_error.ToString());
    }

    [Theory]
    [InlineData("\ufeffa@example.com\n", "a@example.com")]
    [InlineData("a@example.com\r\n\r\nb@example.com\r\n", "a@example.com||b@example.com")]
    [InlineData("a@example.com\nb@example.com\r\n", "a@example.com|b@example.com\r")]
    [InlineData("\r\na@example.com \n\ta@example.com\n", "\r|a@example.com |\ta@example.com")]
    [InlineData("\"a\\\"\u0001\0b\"@example.com\n", "\"a\\\"\u0001\0b\"@example.com")]
    [InlineData("", "")]
    public async Task A_line_is_taken_as_it_is(string list, string addresses)
    {
        var said = await InspectAsync(list);

        Assert.Equal(addresses, string.Join('|', said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Address)));
    }

    [Fact]
    public async Task A_line_without_end_is_cut_and_the_next_one_is_read()
    {
        var said = (await InspectAsync($"{new string('ü', 200_000)}@example.com\nann@example.com\n")).Split('\n');

        Assert.True(said[0].Length < 5000);
        Assert.DoesNotContain("\ufffd", said[0], StringComparison.Ordinal);
        Assert.Contains("\"valid\":false", said[0], StringComparison.Ordinal);
        Assert.Contains("more than 4096 octets", said[0], StringComparison.Ordinal);
        Assert.Equal("ann@example.com", Address(said[1]));
    }

    [Fact]
    public async Task What_is_no_UTF8_is_not_valid_and_UTF16_is_said_so()
    {
        Assert.Contains("wrong encoding", await InspectAsync([.. "j"u8, 0xf6, .. "rg@example.com\n"u8]), StringComparison.Ordinal);

        Assert.Equal(2, (await RunAsync([], "-", Encoding.Unicode.GetPreamble())).Code);
        Assert.Contains("Save the list as UTF-8", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_and_arguments_are_read_alike_and_a_missing_file_is_said_so()
    {
        await File.WriteAllTextAsync(_folder.Combine("list.txt"), "a@example.com\n");

        Assert.Equal("a@example.com", Address((await RunAsync([], _folder.Combine("list.txt"), [])).Out.Trim()));
        Assert.Equal("a@example.com\n", Address((await RunAsync(["a@example.com\n"], null, [])).Out.Trim()));
        Assert.Equal(2, (await RunAsync([], _folder.Combine("none.txt"), [])).Code);
        Assert.Contains("There is no file", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_wants_either_addresses_or_a_list()
    {
        Assert.Equal((2, ""), await RunAsync([], null, []));
        Assert.Equal((2, ""), await RunAsync(["a@example.com"], "-", []));
        Assert.Contains("not both", _error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _error.Dispose();
        _folder.Dispose();
    }

    private static string Address(string line) => JsonDocument.Parse(line).RootElement.GetProperty("address").GetString()!;

    private Task<string> InspectAsync(string list) => InspectAsync(Encoding.UTF8.GetBytes(list));

    private async Task<string> InspectAsync(byte[] list)
    {
        var (code, said) = await RunAsync([], "-", list);
        Assert.Equal(0, code);
        return said;
    }

    private async Task<(int Code, string Out)> RunAsync(string[] addresses, string? file, byte[] input)
    {
        using var output = new MemoryStream();
        var code = await InspectAddressCommand.RunAsync(addresses, file, foldGmail: false, () => new MemoryStream(input), output, _error, default);
        return (code, Encoding.UTF8.GetString(output.ToArray()));
    }
}
