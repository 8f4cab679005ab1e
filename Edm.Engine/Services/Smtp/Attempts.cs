using System.Globalization;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Services.Smtp;

/// <summary>What became of one try: the server's reply where there is one (RFC 5321, 4.2.1), else how far the conversation got.</summary>
internal static class Attempts
{
    /// <summary>The end of data was answered with 2xx.</summary>
    public static Attempt Accepted(SmtpReply reply) =>
        new(AttemptResult.Accepted, reply.Code, Enhanced(reply.Words), ReplyText.Clean(reply.Words), null);

    /// <summary>Lost, or stopped, while the server can't hold the mail.</summary>
    public static Attempt BeforeData(string reason, string? words = null) =>
        new(AttemptResult.Deferred, null, null, ReplyText.Clean(words ?? reason), reason);

    /// <summary>Lost, or stopped, where only the server can know.</summary>
    public static Attempt AfterData(string reason) => new(AttemptResult.Unknown, null, null, reason, reason);

    /// <summary>A reply that says neither yes nor no, where only the server can know.</summary>
    public static Attempt AfterData(SmtpReply reply, string about) =>
        new(AttemptResult.Unknown, reply.Code, Enhanced(reply.Words), ReplyText.Clean(reply.Words), Nonsense(reply, about));

    /// <summary>The mail can't be put on the wire at all; no server was asked.</summary>
    public static Attempt Unsendable(string reason) => new(AttemptResult.Rejected, null, null, reason, reason);

    /// <summary>The server wants a login first (530, RFC 4954): the service is set up wrongly, and no mail is to blame.</summary>
    public static Attempt LoginWanted(string words) =>
        new(AttemptResult.Deferred, 530, Enhanced(words), ReplyText.Clean(words), "the server asks for a login");

    /// <summary>No mail was taken: by a refusal, or by a reply that makes no sense where no mail had been sent yet.</summary>
    /// <param name="stage">What was asked.</param>
    public static Attempt Refused(SmtpReply reply, string about, ReplyStage stage)
    {
        var result = reply.Code is >= 500 and <= 599 ? AttemptResult.Rejected : AttemptResult.Deferred;
        var reason = !reply.IsRefusal ? Nonsense(reply, about)
            : result == AttemptResult.Deferred ? $"the server deferred {about}"
            : $"the server refused {about}";
        return new Attempt(result, reply.Code, Enhanced(reply.Words), ReplyText.Clean(reply.Words), reason, stage);
    }

    private static string Nonsense(SmtpReply reply, string about) => $"the server answered {about} with {reply.Code.ToString(CultureInfo.InvariantCulture)}";

    private static string? Enhanced(string words) => EnhancedStatus.TryParse(words, out var status) ? status : null;
}
