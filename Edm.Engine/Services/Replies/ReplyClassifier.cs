using Edm.Contracts;

namespace Edm.Engine.Services.Replies;

/// <summary>What replies mean, by <see cref="ReplyTable"/>. Pure, and linear in the length of a reply, of which only the first 4,000 characters are read.</summary>
public static class ReplyClassifier
{
    /// <param name="reply">As the server gave it, or as a report quotes it; one line or several.</param>
    /// <param name="stage">What the server was asked, where that is known.</param>
    public static ReplyVerdict Of(string reply, ReplyStage stage = ReplyStage.None)
    {
        ArgumentNullException.ThrowIfNull(reply);
        return Of(reply, ReplyReading.Of(reply, null, stage));
    }

    /// <param name="code">The reply code.</param>
    /// <param name="words">What stood behind it.</param>
    public static ReplyVerdict Of(int code, string words, ReplyStage stage = ReplyStage.None)
    {
        ArgumentNullException.ThrowIfNull(words);
        return code is >= 200 and <= 299 ? new ReplyVerdict(ReplyClass.Accepted, ReplyAction.Done, null) : Of(words, ReplyReading.Of(words, code, stage));
    }

    private static ReplyVerdict Of(string text, ReplyReading reading)
    {
        var rule = ReplyTable.Instance.Find(reading);
        var reply = rule?.Class ?? ReplyClass.Unknown;
        var isFinal = IsFinal(reply, reading);
        var action = rule?.Action is { } named && (isFinal || named == ReplyAction.Pause) ? named : ReplyActions.Usual(reply, isFinal);
        return new ReplyVerdict(reply, action, reply == ReplyClass.Accepted ? null : RetryHint.Find(text));
    }

    /// <summary>By the reply code, else by the enhanced one; where there is neither, by what it is about.</summary>
    private static bool IsFinal(ReplyClass reply, ReplyReading reading) => (reading.Code, reading.Enhanced) switch
    {
        ({ } code, _) => code is >= 500 and <= 599,
        (null, { } enhanced) => enhanced[0] == '5',
        (null, null) => reply is ReplyClass.NoSuchUser or ReplyClass.NoSuchDomain or ReplyClass.ContentRejected,
    };
}
