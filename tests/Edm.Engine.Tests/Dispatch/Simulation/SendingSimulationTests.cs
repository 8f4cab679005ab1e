using CsCheck;
using Xunit;
using Xunit.Sdk;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>Random lives of queues and lanes together; what must hold in them is in <see cref="SendingWorld"/> and <see cref="MailLog"/>.</summary>
public sealed class SendingSimulationTests
{
    private static readonly Gen<SendingStep[]> Life = Gen.Select(Gen.Int[0, 199], Gen.Int[0, 99_999]).Select((kind, n) => new SendingStep(kind, n)).Array[50, 400];

    [Fact]
    public void Whatever_is_lost_doubled_late_or_killed_every_recipient_is_accounted_for() => Lives(Gen.Int[1, 3], iterations: 600);

    [Fact]
    public void The_same_holds_over_sixteen_lanes() => Lives(Gen.Const(16), iterations: 60);

    private static void Lives(Gen<int> howManyLanes, int iterations) => Gen.Select(Gen.Int[1, 3], howManyLanes, Gen.Int[1, 4], Life).Sample(
        (users, lanes, room, life) =>
        {
            var world = new SendingWorld(users, lanes, room);
            try
            {
                foreach (var step in life)
                {
                    world.Do(step);
                }

                world.Finish();
            }
            catch (Exception e)
            {
                throw new XunitException($"{e.Message}\nafter:\n{world.Story}", e);
            }
        },
        iter: iterations);
}
