using System.Globalization;
using Edm.Contracts;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

/// <summary>Why a service sends nothing, or less than it could: what its lane says of it, or, where the lane does not answer, what its page says. Pure.</summary>
/// <param name="CanSend">Null when nobody can tell.</param>
/// <param name="Reasons">What has to end first stands first.</param>
/// <param name="NextAt">When the next mail can go; null when one can now, or nobody can tell.</param>
/// <param name="Capacity">In one sentence, how much it can send; null when nobody can tell.</param>
public sealed record ServiceWhy(bool? CanSend, IReadOnlyList<ServiceReason> Reasons, DateTimeOffset? NextAt, string? Capacity, double? Health)
{
    /// <param name="report">Null: its lane did not answer.</param>
    public static ServiceWhy Of(Service service, ServiceReport? report)
    {
        ArgumentNullException.ThrowIfNull(service);
        List<ServiceReason> reasons = [.. report?.Reasons ?? []];
        if (report is null)
        {
            if (!service.Enabled)
            {
                reasons.Add(new ServiceReason("disabled", "The service is disabled."));
            }

            reasons.Add(new ServiceReason("no-answer", "The node that runs its lane did not answer, so only what is stored of it is known."));
        }

        if (service.LastError is { } words && !reasons.Exists(reason => reason.Text.Contains(words, StringComparison.Ordinal)))
        {
            reasons.Add(new ServiceReason("last-error", $"It said last: {words}", Blocks: false));
        }

        return new ServiceWhy(
            report is null ? null : !reasons.Exists(reason => reason.Blocks), reasons,
            report?.NextCreditMs is { } next ? DateTimeOffset.FromUnixTimeMilliseconds(next) : null,
            report is null ? null : Sentence(report.PerHour, report.LeftToday, report.Connections), report?.Health);
    }

    /// <summary>How much one service can send.</summary>
    public static string Sentence(long? perHour, long? leftToday, int connections) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(perHour is { } hour ? Text($"At its present pace {hour:N0} mails an hour") : Text($"As fast as its connections are ({connections:N0})"))}; today {(leftToday is { } left ? Text($"{left:N0} more") : "without a limit")}.");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
