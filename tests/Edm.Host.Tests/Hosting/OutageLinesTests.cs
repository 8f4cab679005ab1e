using Edm.Host.Hosting;
using Edm.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Edm.Host.Tests.Hosting;

public sealed class OutageLinesTests
{
    private readonly ManualTime time = new();
    private readonly OutageLines lines;

    public OutageLinesTests() => lines = new OutageLines(time);

    [Fact]
    public void Of_many_entities_of_a_kind_the_first_is_told_and_the_others_are_counted()
    {
        Assert.Equal([0], Enumerable.Range(0, 50).Where(n => Take(Of(n)) is not null));

        time.Advance(TimeSpan.FromSeconds(10));

        Assert.EndsWith("(the server is gone) [and 49 more like it]", Take(Of(50)), StringComparison.Ordinal);
        Assert.Equal((TimeSpan.FromSeconds(10), 49), lines.End());
    }

    [Fact]
    public void Another_kind_is_told_for_itself()
    {
        Assert.NotNull(Take(Of(1)));
        Assert.NotNull(Take("[akka://edm/system/sharding/lane/3/1-0] Failed to persist"));
    }

    [Fact]
    public void What_the_database_has_no_part_in_is_none_of_its_business()
    {
        Assert.NotNull(Take(Of(1)));

        Assert.False(lines.Take(LogLevel.Error, "defect", new InvalidOperationException("defect"), out _));
        Assert.False(lines.Take(LogLevel.Warning, "a mail server", new IOException("away", new System.Net.Sockets.SocketException(111)), out _));
        Assert.False(lines.Take(LogLevel.Warning, "a warning of our own", null, out _));
    }

    [Fact]
    public async Task After_its_end_the_next_one_is_told_anew()
    {
        Assert.False(lines.Begun.IsCompleted);
        Assert.NotNull(Take(Of(1)));
        Assert.Null(Take(Of(2)));
        await lines.Begun;
        Assert.False(lines.IsQuiet);
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(lines.IsQuiet);

        lines.End();

        Assert.False(lines.Begun.IsCompleted);
        Assert.NotNull(Take(Of(3)));
    }

    private static string Of(int entity) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"[akka://edm/system/sharding/user-queue/3/{entity}] Failed to persist event type [X] for persistenceId [user-queue-{entity}].");

    private string? Take(string message)
    {
        Assert.True(lines.Take(LogLevel.Error, message, new NpgsqlException("the server is gone", new IOException("reset", new System.Net.Sockets.SocketException(104))), out var line));
        return line;
    }
}
