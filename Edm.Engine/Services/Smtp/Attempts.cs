using System.Globalization;
using MailKit.Net.Smtp;

namespace Edm.Engine.Services.Smtp;

/// <summary>What became of one try: the server's reply where there is one (RFC 5321, 4.2.1), else how far the conversation got.</summary>
internal static class Attempts
{
    /// <summary>The end of data was answered with 250.</summary>
    public static Attempt Accepted(string words) =>
        new(AttemptResult.Accepted, 250, Enhanced(words), ReplyText.Clean(words), null);

    /// <summary>Lost, or stopped, while the server can't hold the mail.</summary>
    public static Attempt BeforeData(string reason, string? words = null) =>
        new(AttemptResult.Deferred, null, null, ReplyText.Clean(words ?? reason), reason);

    /// <summary>Lost, or stopped, where only the server can know.</summary>
    public static Attempt AfterData(string reason) => new(AttemptResult.Unknown, null, null, reason, reason);

    /// <summary>The mail can't be put on the wire at all; no server was asked.</summary>
    public static Attempt Unsendable(string reason) => new(AttemptResult.Rejected, null, null, reason, reason);

    /// <summary>The server wants a login first (530, RFC 4954): the service is set up wrongly, and no mail is to blame.</summary>
    public static Attempt LoginWanted(string words) =>
        new(AttemptResult.Deferred, 530, Enhanced(words), ReplyText.Clean(words), "the server asks for a login");

    /// <param name="outOfStep">The reply made no sense where it stood: the connection can't be trusted any more.</param>
    public static Attempt Of(SmtpCommandException refusal, out bool outOfStep)
    {
        var code = (int)refusal.StatusCode;
        var about = refusal.ErrorCode switch
        {
            SmtpErrorCode.SenderNotAccepted => "the sender",
            SmtpErrorCode.RecipientNotAccepted => "the recipient",
            SmtpErrorCode.MessageNotAccepted => "the mail",
            _ => "the start of data",
        };
        outOfStep = code is not (>= 400 and <= 599);
        if (outOfStep)
        {
            return OutOfStep(refusal, code, about);
        }

        var (result, verb) = code < 500 ? (AttemptResult.Deferred, "deferred") : (AttemptResult.Rejected, "refused");
        return new Attempt(result, code, Enhanced(refusal.Message), ReplyText.Clean(refusal.Message), $"the server {verb} {about}");
    }

    private static Attempt OutOfStep(SmtpCommandException refusal, int code, string about)
    {
        var (words, enhanced) = (ReplyText.Clean(refusal.Message), Enhanced(refusal.Message));
        if (refusal.ErrorCode != SmtpErrorCode.MessageNotAccepted)
        {
            // Anything but 354 to DATA, or 3xx to a command: no body was sent, so no mail can have been taken.
            return new Attempt(AttemptResult.Deferred, code, enhanced, words, $"the server answered {about} with {code.ToString(CultureInfo.InvariantCulture)}");
        }

        return code is >= 200 and <= 299
            ? new Attempt(AttemptResult.Accepted, code, enhanced, words, null)
            : new Attempt(AttemptResult.Unknown, code, enhanced, words, $"the server answered the end of data with {code.ToString(CultureInfo.InvariantCulture)}");
    }

    private static string? Enhanced(string words) => EnhancedStatus.TryParse(words, out var status) ? status : null;
}
