using System.Globalization;
using System.Text;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Services.Replies;

/// <summary>A reply taken apart, however it is wrapped up: by a server line by line, or by a report (<c>smtp; 550 …</c>, <c>host … said: 550-5.1.1 …</c>).</summary>
/// <param name="Code">RFC 5321, 4.2; null where there is none.</param>
/// <param name="Enhanced">RFC 3463; null where there is none.</param>
/// <param name="Words">See <see cref="Fold"/>.</param>
internal sealed record ReplyReading(int? Code, string? Enhanced, ReplyStage Stage, string Words)
{
    /// <summary>An honest reply has some hundred characters; what stands behind these says nothing new.</summary>
    public const int MaxLength = 4000;

    private const string Address = "<address>";
    private const string InReplyTo = "in reply to ";

    private static readonly string[] DataWords = ["end of data", "data command", "final data", "end-of-data"];
    private static readonly string[] RcptWords = ["rcpt to", "rcpt_to", "rcpt command", "recipient address rejected"];
    private static readonly string[] MailWords = ["mail from command", "[mail_from]", "after mail from", "to mail from"];

    /// <summary>The letters from À to ſ without their accents, in lower case.</summary>
    private const string Plain =
        "aaaaaaaceeeeiiiidnooooo ouuuuytsaaaaaaaceeeeiiiidnooooo ouuuuyty"
        + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

    /// <summary>Linear in the length of the text.</summary>
    /// <param name="code">Where it is known already.</param>
    public static ReplyReading Of(string text, int? code = null, ReplyStage stage = ReplyStage.None)
    {
        if (text.Length > MaxLength)
        {
            text = text[..MaxLength];
        }

        var (found, enhanced) = ReplyCodes.Find(text);
        code ??= found;
        return new ReplyReading(code, enhanced, stage == ReplyStage.None ? StageOf(text) : stage, Fold(Bare(text), code));
    }

    /// <summary>
    /// Words and nothing else, in lower case, a space around each: no accents, no apostrophes, no punctuation, no enhanced codes, and not <paramref name="code"/>, so that
    /// a sentence is the same whether it stands on one line or on three.
    /// </summary>
    public static string Fold(string text, int? code = null)
    {
        var digits = code?.ToString(CultureInfo.InvariantCulture);
        var words = new StringBuilder(text.Length + 2).Append(' ');
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsAsciiDigit(text[i]) && ReplyCodes.IsStart(text, i))
            {
                var skip = ReplyCodes.EnhancedAt(text, i) is var length and > 0 ? length
                    : digits is not null && text.AsSpan(i).StartsWith(digits) && (i + 3 == text.Length || text[i + 3] is '-' or ':' || char.IsWhiteSpace(text[i + 3])) ? 3
                    : 0;
                if (skip > 0)
                {
                    Space(words);
                    i += skip - 1;
                    continue;
                }
            }

            var c = Fold(text[i]);
            if (char.IsLetterOrDigit(c))
            {
                words.Append(c);
            }
            else if (c is not ('\'' or '’' or '`' or (>= '\u0300' and <= '\u036f')))
            {
                Space(words);
            }
        }

        Space(words);
        return words.ToString();
    }

    private static void Space(StringBuilder words)
    {
        if (words[^1] != ' ')
        {
            words.Append(' ');
        }
    }

    // Without ICU the runtime takes no accents off.
    private static char Fold(char c) => c is >= '\u00c0' and <= '\u017f' ? Plain[c - '\u00c0'] : char.ToLowerInvariant(c);

    /// <summary>Without addresses, whose parts are words too, and without what a program says of the conversation.</summary>
    private static string Bare(string text)
    {
        text = ReplyText.WithoutAddresses(text).Replace(Address, " ", StringComparison.Ordinal);
        for (var at = text.IndexOf(InReplyTo, StringComparison.OrdinalIgnoreCase); at >= 0; at = text.IndexOf(InReplyTo, at + 1, StringComparison.OrdinalIgnoreCase))
        {
            var end = text.AsSpan(at, Math.Min(40, text.Length - at)).IndexOf("command", StringComparison.OrdinalIgnoreCase);
            if (end > 0)
            {
                text = string.Concat(text.AsSpan(0, at), " ", text.AsSpan(at + end + "command".Length));
            }
        }

        return text;
    }

    private static ReplyStage StageOf(string text) =>
        Says(text, DataWords) ? ReplyStage.Data : Says(text, RcptWords) ? ReplyStage.Rcpt : Says(text, MailWords) ? ReplyStage.Mail : ReplyStage.None;

    private static bool Says(string text, string[] words) => Array.Exists(words, word => text.Contains(word, StringComparison.OrdinalIgnoreCase));
}
