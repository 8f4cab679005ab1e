using CsCheck;
using Edm.Engine.Queues;
using Xunit;
using Xunit.Sdk;

namespace Edm.Engine.Tests.Queues;

/// <summary>Random lives of a queue; what must hold after every step is in <see cref="QueueWorld"/> and <see cref="QueueModel"/>.</summary>
public sealed class UserQueueStateTests
{
    private static readonly Gen<QueueStep[]> Life =
        Gen.Select(Gen.Int[0, 24], Gen.Int[0, 999], Gen.Int[0, 999], Gen.Int[0, 999]).Select((kind, a, b, c) => new QueueStep(kind, a, b, c)).Array[1, 80];

    /// <summary>Bounds so small that a random life meets them.</summary>
    private static readonly Gen<UserQueueLimits> Limits =
        Gen.Select(Gen.Int[1, 8], Gen.Int[0, 4], Gen.Int[1, 6], Gen.Int[0, 3])
            .Select((pending, finished, batch, archived) => new UserQueueLimits(pending, finished, batch, archived));

    [Fact]
    public void Whatever_is_said_to_it_the_ledger_fits_and_everything_ends() => Gen.Select(Limits, Life).Sample(
        (limits, life) =>
        {
            var world = new QueueWorld(limits);
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
                throw new XunitException($"{e.Message}\nafter, with {limits}:\n{world.Story}", e);
            }
        },
        iter: 500);
}
