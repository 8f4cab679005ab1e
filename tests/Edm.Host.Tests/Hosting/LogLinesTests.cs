using Edm.Engine.Storage;
using Edm.Host.Hosting;
using Edm.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Host.Tests.Hosting;

public sealed class LogLinesTests
{
    private static string Write(string message, Exception? exception = null)
    {
        using var text = new StringWriter();
        new LogLines(new ManualTime(), new OutageLines(new ManualTime())).Write(
            new LogEntry<string>(LogLevel.Warning, "Edm.Room", default, message, exception, (state, _) => state), scopeProvider: null, text);
        return text.ToString();
    }

    [Fact]
    public void An_entry_is_one_line()
    {
        Assert.Equal($"2026-01-02T03:04:05.000Z warn  Edm.Room: hello{Environment.NewLine}", Write("hello"));
    }

    [Fact]
    public void A_name_with_a_line_break_forges_no_second_entry()
    {
        Assert.Equal(2, Write("user 'x\r\n2026-01-02T03:04:05.000Z fatal Edm: forged'").Split(Environment.NewLine).Length);
    }

    [Fact]
    public void What_is_fit_for_an_operator_comes_without_a_stack_and_a_defect_with_it()
    {
        Assert.DoesNotContain("   at ", Write("failed", Thrown(new StorageException("The folder is taken."))), StringComparison.Ordinal);
        Assert.Contains("   at ", Write("failed", Thrown(new InvalidOperationException("defect"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Something_that_did_not_answer_in_time_is_told_without_a_stack() =>
        Assert.DoesNotContain("   at ", Write("failed", Thrown(new Akka.Actor.AskTimeoutException("Timeout after 10 s"))), StringComparison.Ordinal);

    [Fact]
    public void What_Akka_repeats_in_its_message_is_written_once()
    {
        var thrown = Thrown(new InvalidOperationException("defect", Thrown(new FormatException("within"))));

        var written = Write($"[ERROR][akka://edm/user/x] it failed.{Environment.NewLine}Cause: {thrown}", thrown);

        Assert.StartsWith("2026-01-02T03:04:05.000Z warn  Edm.Room: [ERROR][akka://edm/user/x] it failed." + Environment.NewLine, written, StringComparison.Ordinal);
        Assert.Equal(2, written.Split("System.FormatException: within").Length);
    }

    [Fact]
    public void An_outage_is_told_without_a_stack_wherever_the_database_is_named()
    {
        var gone = Thrown(new Npgsql.PostgresException("terminating connection due to administrator command", "FATAL", "FATAL", "57P01"));
        var several = Thrown(new AggregateException("rolling back failed", Thrown(new ObjectDisposedException("transaction")), gone));

        Assert.All(
            [Write($"[akka://edm/user/x] not written.{Environment.NewLine}Cause: {gone}", gone), Write($"not written.{Environment.NewLine}Cause: {several}", several)],
            written =>
            {
                Assert.EndsWith($"not written. (57P01: terminating connection due to administrator command){Environment.NewLine}", written, StringComparison.Ordinal);
                Assert.DoesNotContain("   at ", written, StringComparison.Ordinal);
            });
    }

    private static Exception Thrown(Exception exception)
    {
        try
        {
            throw exception;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }
}
