using CsCheck;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServiceScoreTests
{
    private static readonly Gen<SelectionWeights> Weights =
        Gen.Select(Gen.Double[0, 1000], Gen.Double[0, 1000], Gen.Double[0, 1000], Gen.Double[0, 1000]).Select((t, q, s, p) => new SelectionWeights(t, q, s, p));

    [Fact]
    public void A_score_is_between_0_and_1_whatever_comes_in() =>
        Gen.Select(Weights, Gen.Double, Gen.Double, Gen.Double, Gen.Double).Sample((weights, idle, quota, success, fit) =>
            ServiceScore.Of(weights, idle, quota, success, fit) is >= 0 and <= 1.000001);

    [Fact]
    public void More_of_anything_is_never_worse()
    {
        var share = Gen.Double[0, 1];
        Gen.Select(Weights, share.Array[4], Gen.Int[0, 3], share).Sample((weights, parts, which, more) =>
        {
            var better = parts.ToArray();
            better[which] = Math.Max(better[which], more);
            return Of(weights, better) >= Of(weights, parts) - 1e-9;
        });

        static double Of(SelectionWeights weights, double[] parts) => ServiceScore.Of(weights, parts[0], parts[1], parts[2], parts[3]);
    }

    [Fact]
    public void Only_the_proportions_of_the_weights_matter() =>
        Gen.Select(Weights, Gen.Double[0, 1].Array[4]).Sample((weights, parts) =>
            Math.Abs(
                ServiceScore.Of(weights, parts[0], parts[1], parts[2], parts[3])
                - ServiceScore.Of(new SelectionWeights(weights.Time * 3, weights.Quota * 3, weights.Success * 3, weights.ProviderFit * 3), parts[0], parts[1], parts[2], parts[3])) < 1e-6);

    [Theory]
    [InlineData(null, null, null, 0, 1_000)]
    [InlineData(60, null, null, 0, 1_000)]
    [InlineData(6_000, null, null, 0, 10)]
    [InlineData(60, 60, null, 0, 60_000)]
    [InlineData(60, 3_600, 24, 0, 3_600_000)]
    [InlineData(60, null, null, 5, 5_000)]
    public void The_pace_is_that_of_the_tightest_limit(int? perMinute, int? perHour, int? perDay, int gapSeconds, double ms) =>
        Assert.Equal(ms, ServiceScore.PaceMs(perMinute, perHour, perDay, TimeSpan.FromSeconds(gapSeconds)));

    [Fact]
    public void Half_rested_is_who_waited_as_long_as_its_pace() => Assert.Equal((0, 0.5), (ServiceScore.Idle(-5, 100), ServiceScore.Idle(100, 100)));

    [Fact]
    public void A_success_rate_is_between_0_and_1_and_goes_the_way_of_the_last_mail() =>
        Gen.Bool.Array[0, 300].Sample(mails =>
        {
            var rate = default(SuccessRate);
            foreach (var success in mails)
            {
                var next = rate.Count(success);
                if (next.Rate is not (>= 0 and <= 1) || (success && rate.Samples == SuccessRate.Floor && next.Rate < rate.Rate) || (!success && next.Rate > rate.Rate))
                {
                    return false;
                }

                rate = next;
            }

            return true;
        });

    [Fact]
    public void One_early_failure_does_not_condemn_a_new_service() => Assert.Equal(0.95, default(SuccessRate).Count(false).Rate, 3);

    [Fact]
    public void A_service_that_only_fails_ends_near_0_and_recovers()
    {
        var rate = default(SuccessRate);
        for (var i = 0; i < 100; i++)
        {
            rate = rate.Count(false);
        }

        Assert.Equal(0, rate.Rate, 2);
        for (var i = 0; i < 100; i++)
        {
            rate = rate.Count(true);
        }

        Assert.True(rate.Rate > 0.95);
    }
}
