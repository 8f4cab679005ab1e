using Edm.Contracts;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Edm.Testing.Servers;
using LinqToDB.Data;
using Xunit;

namespace Edm.Engine.Tests.Stories;

/// <summary>
/// "16 lanes, database latency and deadlocks injected, doubled and reordered messages, a split brain: no recipient leased twice." Here the first half, on a real PostgreSQL;
/// the second half is SendingSimulationTests, also over 16 lanes, and TwoNodesTests.
/// </summary>
[Collection(PostgresFixture.Collection)]
public sealed class Story03TroubledDatabaseTests(PostgresFixture postgres)
{
    private const int Lanes = 16;
    private const int Recipients = 1_500;
    private const int Deadlocks = 5;

    [Fact]
    public async Task A_slow_database_with_deadlocks_costs_time_and_nobody_a_second_mail()
    {
        using var world = new StoryWorld();
        for (var lane = 0; lane < Lanes; lane++)
        {
            world.Mail.Services.Add(MadeUpWorld.Service(lane + 1, connections: 2, lane: new LaneId(new PoolId(1), lane)));
        }

        await using var node = await world.StartAsync(postgres: await postgres.CreateDatabaseAsync());

        await Eventually.Async(
            () => node.Database.RunAsync(connection => connection.ExecuteAsync<bool>("SELECT to_regclass('journal') IS NOT NULL")), StoryWorld.Patience, "the journal is there");

        // Every write is late by up to 30 ms, and of the first hundred or so each twentieth is the victim of a deadlock. A sequence counts also what is rolled back.
        await node.Database.RunAsync(connection => connection.ExecuteAsync(
            $"""
             CREATE SEQUENCE trouble;
             CREATE FUNCTION make_trouble() RETURNS trigger LANGUAGE plpgsql AS '
             DECLARE nr bigint := nextval(''trouble'');
             BEGIN
               PERFORM pg_sleep(random() * 0.03);
               IF nr % 20 = 0 AND nr <= {20 * Deadlocks} THEN RAISE EXCEPTION ''deadlock detected'' USING ERRCODE = ''40P01''; END IF;
               RETURN NULL;
             END';
             CREATE TRIGGER trouble BEFORE INSERT ON journal FOR EACH STATEMENT EXECUTE FUNCTION make_trouble();
             """));
        await node.AskAsync<Accepted>(StoryWorld.Queue(Recipients, Lanes));

        var ledger = await StoryWorld.FinishedAsync(node);

        Assert.Equal(Recipients, ledger.Counts[(int)RecipientState.Sent]);
        world.EachOnce(Recipients);
        Assert.True(await node.Database.RunAsync(connection => connection.ExecuteAsync<long>("SELECT last_value FROM trouble")) > 20 * Deadlocks, "there was less trouble than planned");
    }
}
