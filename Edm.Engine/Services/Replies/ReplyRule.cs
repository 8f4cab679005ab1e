using System.Globalization;
using Edm.Contracts;

namespace Edm.Engine.Services.Replies;

/// <summary>One rule of the table: every condition that it has must hold.</summary>
/// <param name="Action">Null: the usual one of the class.</param>
/// <param name="Stages">Empty: any.</param>
/// <param name="ReplyCodes">Beginnings; empty: any, or none.</param>
/// <param name="EnhancedCodes">Beginnings, x for 4 or 5; empty: any, or none.</param>
/// <param name="Alternatives">Numbers of phrases; all of one alternative must be there. Empty: no words are asked for.</param>
internal sealed record ReplyRule(
    int Line, ReplyClass Class, ReplyAction? Action, IReadOnlyList<ReplyStage> Stages, IReadOnlyList<string> ReplyCodes, IReadOnlyList<string> EnhancedCodes, IReadOnlyList<int[]> Alternatives)
{
    public bool Holds(ReplyReading reply, ulong[] phrases) =>
        (Stages.Count == 0 || Stages.Contains(reply.Stage))
        && (ReplyCodes.Count == 0 || ReplyCodes.Any(code => HasCode(reply, code)))
        && (EnhancedCodes.Count == 0 || (reply.Enhanced is { } enhanced && EnhancedCodes.Any(code => Begins(enhanced, code))))
        && (Alternatives.Count == 0 || Alternatives.Any(all => Array.TrueForAll(all, id => (phrases[id >> 6] & (1UL << (id & 63))) != 0)));

    /// <summary>Where there is no reply code, the first digit of the enhanced one means the same (RFC 3463, 3.1).</summary>
    private static bool HasCode(ReplyReading reply, string beginning) => reply.Code is { } code
        ? code.ToString(CultureInfo.InvariantCulture).StartsWith(beginning, StringComparison.Ordinal)
        : beginning.Length == 1 && reply.Enhanced?[0] == beginning[0];

    private static bool Begins(string enhanced, string beginning) =>
        (enhanced[0] == beginning[0] || (beginning[0] == 'x' && enhanced[0] is '4' or '5'))
        && enhanced.AsSpan(1).StartsWith(beginning.AsSpan(1), StringComparison.Ordinal)
        && (enhanced.Length == beginning.Length || enhanced[beginning.Length] == '.');
}
