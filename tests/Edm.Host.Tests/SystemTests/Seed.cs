using System.Globalization;
using Xunit.Abstractions;

namespace Edm.Host.Tests.SystemTests;

internal static class Seed
{
    /// <summary>Random numbers whose seed is printed; EDM_TEST_SEED repeats one.</summary>
    public static Random Next(ITestOutputHelper output)
    {
        var seed = Environment.GetEnvironmentVariable("EDM_TEST_SEED") is { Length: > 0 } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        output.WriteLine($"EDM_TEST_SEED={seed}");
        return new Random(seed);
    }
}
