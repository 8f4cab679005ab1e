using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class ServiceScoreTests
{
    [Fact]
    public void A_score_is_between_0_and_1_whatever_comes_in() =>
        Gen.Select(Gen.Double, Gen.Double, Gen.Double).Sample((free, quota, success) => ServiceScore.Of(free, quota, success) is >= 0 and <= 1);

    [Fact]
    public void More_of_anything_is_never_worse()
    {
        var share = Gen.Double[0, 1];
        Gen.Select(share, share, share, share).Sample((free, quota, success, more) =>
            ServiceScore.Of(Math.Max(free, more), quota, success) >= ServiceScore.Of(free, quota, success)
            && ServiceScore.Of(free, Math.Max(quota, more), success) >= ServiceScore.Of(free, quota, success)
            && ServiceScore.Of(free, quota, Math.Max(success, more)) >= ServiceScore.Of(free, quota, success));
    }

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
