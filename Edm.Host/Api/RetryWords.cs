using Edm.Contracts.Http;
using Edm.Engine.Campaigns;

namespace Edm.Host.Api;

/// <summary>How often and how long recipients are tried, as campaigns and tasks say it.</summary>
internal static class RetryWords
{
    public static RetryLimits Read(RetryLimitsView? given) => given is null ? RetryLimits.None : new RetryLimits(given.MaxAttempts, given.MaxAgeSeconds, given.SendWithinSeconds);

    public static RetryLimitsView View(RetryLimits? limits) => new(limits?.MaxAttempts, limits?.MaxAgeSeconds, limits?.SendWithinSeconds);
}
