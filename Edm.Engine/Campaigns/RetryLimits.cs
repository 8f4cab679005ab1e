using Edm.Contracts;
using Edm.Engine.Storage;

namespace Edm.Engine.Campaigns;

/// <summary>What a campaign or task says of retries otherwise than the settings do; null: as they do.</summary>
/// <param name="MaxAttempts">As <see cref="RetryRules.MaxAttempts"/>.</param>
/// <param name="MaxAgeSeconds">As <see cref="RetryRules.MaxAgeSeconds"/>.</param>
/// <param name="SendWithinSeconds">As <see cref="RetryRules.SendWithinSeconds"/>; no setting has one.</param>
public sealed record RetryLimits(int? MaxAttempts = null, int? MaxAgeSeconds = null, int? SendWithinSeconds = null)
{
    public static readonly RetryLimits None = new();

    /// <summary>As far as the setting goes, see edm.sending.max-attempts and edm.sending.max-age.</summary>
    private const int MostAttempts = 1000;
    private const int LongestAgeDays = 30;

    /// <summary>Longer than any campaign makes sense; from a launch on it stays far below what a clock can count.</summary>
    private const int LongestDays = 3660;

    /// <returns>The rules with these in place of theirs.</returns>
    public RetryRules Over(RetryRules rules) => rules with
    {
        MaxAttempts = MaxAttempts ?? rules.MaxAttempts,
        MaxAgeSeconds = MaxAgeSeconds ?? rules.MaxAgeSeconds,
        SendWithinSeconds = SendWithinSeconds ?? rules.SendWithinSeconds,
    };

    public static RetryLimits Of(RetryRules rules) => new(rules.MaxAttempts, rules.MaxAgeSeconds, rules.SendWithinSeconds);

    /// <exception cref="FieldException">One of them can't be used.</exception>
    public void RefuseUnfit()
    {
        if (MaxAttempts is < 1 or > MostAttempts)
        {
            throw new FieldException("retry.maxAttempts", $"{MaxAttempts} is not from 1 to {MostAttempts}.");
        }

        RefuseUnfit("retry.maxAgeSeconds", MaxAgeSeconds, LongestAgeDays);
        RefuseUnfit("retry.sendWithinSeconds", SendWithinSeconds, LongestDays);
    }

    private static void RefuseUnfit(string field, int? seconds, int days)
    {
        if (seconds < 1 || seconds > days * 86_400)
        {
            throw new FieldException(field, $"{seconds} is not from 1 to {days * 86_400} seconds, which are {days} days.");
        }
    }
}
