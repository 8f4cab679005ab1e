using System.Diagnostics;
using CsCheck;
using Edm.Contracts;
using Edm.Engine.Services.Replies;
using Xunit;

namespace Edm.Engine.Tests.Services.Replies;

public sealed class ReplyClassifierTests
{
    /// <summary>The rows of <c>replies.tsv</c>: class, action, seconds, reply.</summary>
    public static TheoryData<string, string, string, string> Known
    {
        get
        {
            var known = new TheoryData<string, string, string, string>();
            foreach (var row in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Services", "Replies", "replies.tsv")).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t')))
            {
                known.Add(row[0], row[1], row[2], row[3].Replace("\\n", "\n", StringComparison.Ordinal));
            }

            return known;
        }
    }

    [Theory]
    [MemberData(nameof(Known))]
    public void A_known_reply_means_what_its_provider_says(string reply, string action, string seconds, string text)
    {
        var verdict = ReplyClassifier.Of(text);

        Assert.Equal((reply, action), (verdict.Class.Name(), action == "-" ? action : verdict.Action.Name()));
        Assert.Equal(seconds == "-" ? verdict.RetryAfter : TimeSpan.FromSeconds(int.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)), verdict.RetryAfter);
    }

    [Theory]
    [InlineData("550 5.1.1 User unknown")]
    [InlineData("550-5.1.1 User\n550 5.1.1 unknown")]
    [InlineData("550-5.1.1 User\r\n550 5.1.1 unknown\r\n")]
    [InlineData("smtp; 550 5.1.1 USER UNKNOWN")]
    [InlineData("550 5.1.1 <someone@example.com>: user   unknown")]
    [InlineData("550 5.1.1 user (someone@example.com) unknown")]
    [InlineData("550-5.1.1-User unknown")]
    [InlineData("host mx.example[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)")]
    [InlineData("user unknown")]
    public void It_makes_no_difference_how_a_reply_is_wrapped_up(string text) =>
        Assert.Equal((ReplyClass.NoSuchUser, ReplyAction.Suppress), (ReplyClassifier.Of(text).Class, ReplyClassifier.Of(text).Action));

    [Theory]
    [InlineData("550 5.1.1 user unknown", ReplyAction.Suppress)]
    [InlineData("450 4.1.1 user unknown", ReplyAction.Retry)]
    [InlineData("550 5.1.1 account is temporarily locked", ReplyAction.Fail)]
    [InlineData("450 4.7.1 relay access denied", ReplyAction.Retry)]
    [InlineData("454 4.7.0 too many login attempts", ReplyAction.Pause)]
    public void Only_what_is_final_ends_a_recipient(string text, ReplyAction action) => Assert.Equal(action, ReplyClassifier.Of(text).Action);

    [Theory]
    [InlineData(ReplyStage.Rcpt, ReplyClass.NoSuchUser)]
    [InlineData(ReplyStage.Mail, ReplyClass.PolicyOrReputationBlock)]
    [InlineData(ReplyStage.Data, ReplyClass.ContentRejected)]
    [InlineData(ReplyStage.None, ReplyClass.Unknown)]
    public void Without_words_it_is_about_what_was_asked(ReplyStage stage, ReplyClass reply)
    {
        var verdict = ReplyClassifier.Of(550, "no", stage);

        Assert.Equal(reply, verdict.Class);
        Assert.NotEqual(ReplyAction.Suppress, verdict.Action);
    }

    [Theory]
    [InlineData("421 203.0.113.9 too many connections", 421, null)]
    [InlineData("from 250.1.2.3 and [220.0.0.1]: 451 4.3.0 later", 451, "4.3.0")]
    [InlineData("250 2.0.0 Ok", 250, "2.0.0")]
    [InlineData("In: RCPT TO Out: 250 2.1.5 Ok Out: 554 5.7.1 no", 554, "5.7.1")]
    [InlineData("wait 450 seconds", null, null)]
    [InlineData("554 Message rejected", 554, null)]
    [InlineData("(#5.1.1 - chkuser)", null, "5.1.1")]
    [InlineData("version 5.1.1.7, 4.16.55.1 and [#4.16.4:70]", null, null)]
    [InlineData("5501 55 5500 x550", null, null)]
    public void Codes_are_found_among_other_numbers(string text, int? code, string? enhanced)
    {
        var reading = ReplyReading.Of(text);

        Assert.Equal((code, enhanced), (reading.Code, reading.Enhanced));
    }

    [Fact]
    public void Whatever_comes_it_is_answered()
    {
        var pieces = Gen.OneOf(
            Gen.String, Gen.Char.Select(c => c.ToString()), Gen.Const("\ud800"), Gen.Const("550 5.1.1 "), Gen.Const("@"), Gen.Const("try again in "), Gen.Int.Select(i => $"{i} seconds"),
            Gen.Const("9999999:99:99 later"), Gen.Const("\r\n550-"), Gen.Const("in reply to "));
        pieces.Array[0, 30].Select(string.Concat).Sample(text =>
        {
            var verdict = ReplyClassifier.Of(text);

            Assert.True(Enum.IsDefined(verdict.Class) && Enum.IsDefined(verdict.Action));
            Assert.InRange(verdict.RetryAfter ?? RetryHint.Longest, TimeSpan.FromSeconds(1), RetryHint.Longest);
        });
    }

    [Theory]
    [InlineData("550 ")]
    [InlineData("user ")]
    [InlineData("@")]
    [InlineData("in reply to ")]
    [InlineData("try again in 1 ")]
    [InlineData("\"@")]
    [InlineData("5.1.")]
    public void A_reply_of_a_million_characters_costs_no_more_than_its_beginning(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length));
        var begun = Stopwatch.GetTimestamp();

        ReplyClassifier.Of(text);

        // Milliseconds, were it not for a busy machine; what is quadratic in a million takes hours.
        Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public void Every_class_is_in_the_table_and_every_class_has_a_name()
    {
        Assert.Equal(Enum.GetValues<ReplyClass>().Except([ReplyClass.Unknown]), ReplyTable.Instance.Rules.Select(rule => rule.Class).Distinct().Order());
        Assert.All(Enum.GetValues<ReplyClass>(), reply => Assert.True(ReplyClasses.TryParse(reply.Name(), out var same) && same == reply));
    }

    [Theory]
    [InlineData("nonsense when 5", "Line 1: 'nonsense'")]
    [InlineData("throttled when 5 -> dance", "Line 1")]
    [InlineData("throttled at noon", "Line 1: 'noon'")]
    [InlineData("throttled 5", "Line 1: '5'")]
    [InlineData("    words", "Line 1: words")]
    public void A_line_of_the_table_that_cannot_be_read_is_named(string line, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => ReplyTable.Read(new StringReader(line))).Message);
}
