using Edm.Contracts;

namespace Edm.Engine.Unknowns;

/// <summary>A mail of which nobody can know whether it went out.</summary>
/// <param name="Email">Null when the contact was deleted.</param>
/// <param name="ServiceName">Null when it is not known through which service it may have gone, or the service is gone.</param>
/// <param name="At">When it became unknown.</param>
/// <param name="MessageId">As a relay's log would have it, while the service's sender is as it was; null where the service is not known.</param>
public sealed record UnknownOutcome(
    TaskId Task, string Campaign, int Seq, ContactId? Contact, string? Email, ServiceId? Service, string? ServiceName, DateTimeOffset At, string? Reason, string? MessageId);

/// <summary>Where a page of them ended: <c>TASK.SEQ</c> on the wire.</summary>
public readonly record struct UnknownMark(TaskId Task, int Seq)
{
    public static bool TryParse(string text, out UnknownMark mark)
    {
        mark = default;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        if (dot < 1
            || !long.TryParse(text.AsSpan(0, dot), System.Globalization.NumberStyles.None, invariant, out var task)
            || !int.TryParse(text.AsSpan(dot + 1), System.Globalization.NumberStyles.None, invariant, out var seq))
        {
            return false;
        }

        mark = new UnknownMark(new TaskId(task), seq);
        return true;
    }

    public override string ToString() => $"{Task}.{Seq.ToString(System.Globalization.CultureInfo.InvariantCulture)}";
}
