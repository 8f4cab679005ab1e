using System.Text.Json;
using Edm.Engine.Contacts.Addresses;
using Xunit;
using Xunit.Abstractions;

namespace Edm.Engine.Tests.Contacts.Addresses;

/// <summary>
/// Scores the syntax on the lists that other libraries test themselves with, which are not ours to ship: EDM_FIXTURES names the folder that has them. Without it there
/// is nothing to score. Each list answers its library's own question, and on some kinds of addresses the lists contradict each other; those kinds are
/// decided in <see cref="AddressSyntax"/>, named in <see cref="Decided"/>, printed, and not counted.
/// </summary>
public sealed class AddressFixturesTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("flanker-mailbox")]
    [InlineData("hapi-address")]
    [InlineData("isemail")]
    [InlineData("python-email-validator")]
    public void At_least_98_of_100_addresses_of_a_list_are_judged_as_it_judges_them(string corpus)
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("EDM_FIXTURES") ?? "", "addresses", $"{corpus}.jsonl");
        if (!File.Exists(file))
        {
            output.WriteLine("EDM_FIXTURES names no folder with these lists: nothing to score.");
            return;
        }

        var (all, right, decided) = (0, 0, 0);
        foreach (var line in File.ReadLines(file))
        {
            using var row = JsonDocument.Parse(line);
            var address = Text(row.RootElement.GetProperty("address"));
            var report = AddressReport.Of(address);
            all++;
            if (report.Valid == row.RootElement.GetProperty("valid").GetBoolean())
            {
                right++;
                continue;
            }

            var why = Decided(corpus, address, row.RootElement);
            decided += why is null ? 0 : 1;
            output.WriteLine($"{(why is null ? "MISS" : "decided")}: {JsonSerializer.Serialize(address)} is {(report.Valid ? "valid" : "not valid")} here ({report.Reason}) {why}");
        }

        output.WriteLine($"{corpus}: {right} of {all} as the list has them ({100.0 * right / all:0.0} %), {decided} more by a decision, {100.0 * right / (all - decided):0.0} % without those.");
        Assert.True(right >= 0.98 * (all - decided), $"{right} of {all - decided}");
    }

    [Fact]
    public void Normal_and_ASCII_forms_are_those_that_the_lists_expect()
    {
        var file = Path.Combine(Environment.GetEnvironmentVariable("EDM_FIXTURES") ?? "", "addresses", "python-email-validator.jsonl");
        if (!File.Exists(file))
        {
            output.WriteLine("EDM_FIXTURES names no folder with these lists: nothing to score.");
            return;
        }

        foreach (var line in File.ReadLines(file))
        {
            using var row = JsonDocument.Parse(line);
            if (row.RootElement.TryGetProperty("normalized", out var normalized))
            {
                var report = AddressReport.Of(row.RootElement.GetProperty("address").GetString()!);
                Assert.Equal(normalized.GetString()!.ToLowerInvariant(), report.Normal);
                Assert.Equal(row.RootElement.GetProperty("smtputf8").GetBoolean(), report.Ascii is null);
                Assert.True(AddressSyntax.TryRead(report.Address, out var mailbox, out _));
                Assert.Equal(row.RootElement.GetProperty("ascii_domain").GetString(), mailbox.Domain);
            }
        }
    }

    /// <summary>The kinds on which a list stands against the RFC and another list.</summary>
    private static string? Decided(string corpus, string address, JsonElement row) => (corpus, address) switch
    {
        ("flanker-mailbox", _) when address.EndsWith('>') => "[a display name: python-email-validator refuses it, and no envelope has one]",
        ("flanker-mailbox", _) when address.Contains('(', StringComparison.Ordinal) => "[a comment: isemail and hapi-address refuse it, and no envelope has one]",
        ("python-email-validator", _) when row.TryGetProperty("note", out _) => "[a quoted local part, which it takes by an option only: flanker and isemail take it]",
        ("python-email-validator", _) when address.EndsWith("-2", StringComparison.Ordinal) => "[a top-level domain in a digit: isemail takes it]",
        ("hapi-address", _) when row.TryGetProperty("options", out _) => "[judged by its own list of top-level domains, which is an option]",
        ("hapi-address", _) when address.EndsWith(']') => "[an address literal: isemail takes it]",
        ("isemail", _) when address.Contains("@xn--", StringComparison.Ordinal) => "[no A-label: flanker refuses it]",
        _ => null,
    };

    /// <summary>JSON can hold half a character; the reader of the runtime refuses to give it out.</summary>
    private static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return element.GetRawText()[1..^1].Replace("\\ud800", "\ud800", StringComparison.OrdinalIgnoreCase).Replace("\\\"", "\"", StringComparison.Ordinal);
        }
    }
}
