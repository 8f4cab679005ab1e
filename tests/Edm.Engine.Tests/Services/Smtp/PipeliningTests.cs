using System.Text;
using Edm.Engine.Services;
using Xunit;
using static Edm.Engine.Tests.Services.Smtp.ConnectionFixture;

namespace Edm.Engine.Tests.Services.Smtp;

/// <summary>MAIL, RCPT and DATA in one write (RFC 2920): every combination of what a server may answer.</summary>
public sealed class PipeliningTests
{
    private const string Hello = "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250-8BITMIME\nS: 250 PIPELINING\n";
    private const string Envelope = "C: MAIL FROM:<sender@example.org>\nC: RCPT TO:<someone@example.com>\nC: DATA\n";
    private const string Taken = "S: 250 ok\nS: 250 ok\nS: 354 go on\nC: mail\nS: 250 2.0.0 taken";

    private static readonly string[] Answers = ["250 ok", "451 4.3.0 later", "550 5.1.1 no", "421 4.3.2 closing", "gone"];
    private static readonly string[] AnswersToData = ["354 go on", "451 4.3.0 later", "554 5.5.1 no", "421 4.3.2 closing", "250 what?", "gone"];

    public static TheoryData<string, string, string> Combinations
    {
        get
        {
            var all = new TheoryData<string, string, string>();
            foreach (var mail in Answers)
            {
                foreach (var recipient in Ends(mail) ? [""] : Answers)
                {
                    foreach (var data in Ends(mail) || Ends(recipient) ? [""] : AnswersToData)
                    {
                        all.Add(mail, recipient, data);
                    }
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public async Task The_first_refusal_decides_and_the_next_mail_goes(string mail, string recipient, string data)
    {
        string[] answers = [.. new[] { mail, recipient, data }.Where(a => a.Length > 0)];
        var isSent = answers is ["250 ok", "250 ok", "354 go on"];
        var isEmptied = data == "354 go on" && mail == "250 ok" && recipient != "250 ok";
        var isKept = !answers.Any(Ends) && data != "250 what?" && (data != "354 go on" || isSent || isEmptied);

        var script = new StringBuilder(Hello + Envelope);
        foreach (var answer in answers)
        {
            script.Append(answer == "gone" ? "close\n" : answer.StartsWith("421", StringComparison.Ordinal) ? $"S: {answer}\nclose\n" : $"S: {answer}\n");
        }

        script.Append(isSent ? "C: mail\nS: 250 ok\n" : isEmptied ? "C: .\nS: 554 5.5.1 no valid recipients\n" : "");
        script.Append(isKept ? (isSent ? "" : "C: RSET\n") + Envelope + (isSent ? "" : "S: 250 reset\n") + Taken : "");
        await using var server = new ScriptedServer(script.ToString(), Hello + Envelope + Taken);
        await using var connection = To(server);
        await connection.EnsureReadyAsync(default);

        var attempt = await connection.SendAsync();
        var refusal = answers.Select((answer, at) => (Code: int.TryParse(answer.AsSpan(0, 3), out var code) ? code : (int?)null, at)).FirstOrDefault(a => a.Code is not (250 or 354) || (a.at == 2 && a.Code == 250));
        if (isSent)
        {
            Assert.Equal(AttemptResult.Accepted, attempt.Result);
        }
        else if (refusal.Code is null)
        {
            // Lost where nothing had been refused: tried once more, on the next connection.
            Assert.Equal(AttemptResult.Accepted, attempt.Result);
            Assert.Single(server.Mails);
            return;
        }
        else
        {
            Assert.Equal((refusal.Code >= 500 ? AttemptResult.Rejected : AttemptResult.Deferred, refusal.Code), (attempt.Result, attempt.ReplyCode));
            Assert.Contains(refusal.at switch { 0 => "the sender", 1 => "the recipient", _ => "the start of data" }, attempt.Reason, StringComparison.Ordinal);
        }

        Assert.Equal(isKept, connection.IsReady);
        Assert.Equal(new Attempt(AttemptResult.Accepted, 250, "2.0.0", "2.0.0 taken", null), await connection.SendAsync());
        Assert.Equal(isSent ? 2 : 1, server.Mails.Count);
    }

    private static bool Ends(string answer) => answer == "gone" || answer.StartsWith("421", StringComparison.Ordinal);

    [Fact]
    public async Task A_size_that_the_server_does_not_take_is_not_even_asked_for()
    {
        await using var server = new ScriptedServer(Hello.Replace("S: 250 PIPELINING", "S: 250-PIPELINING\nS: 250 SIZE 1000", StringComparison.Ordinal)
            + "C: MAIL FROM:<sender@example.org> SIZE=*\nC: RCPT TO:<someone@example.com>\nC: DATA\n" + Taken);
        await using var connection = To(server);
        await connection.EnsureReadyAsync(default);

        var attempt = await connection.SendAsync(Mail(new string('x', 900)), "sender@example.org", "someone@example.com", default);

        Assert.Equal(AttemptResult.Rejected, attempt.Result);
        Assert.Contains("the server takes 1000 at most", attempt.Reason, StringComparison.Ordinal);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task An_eight_bit_mail_says_so_and_waits_for_a_connection_that_takes_it()
    {
        await using var old = new ScriptedServer(Hello.Replace("S: 250-8BITMIME\n", "", StringComparison.Ordinal));
        await using var modern = new ScriptedServer(
            Hello + Envelope.Replace("MAIL FROM:<sender@example.org>", "MAIL FROM:<sender@example.org> BODY=8BITMIME", StringComparison.Ordinal) + Taken);
        await using var first = To(old);
        await using var second = To(modern);

        var deferred = await first.SendAsync(Mail("Grüße\r\n"), "sender@example.org", "someone@example.com", default);
        var accepted = await second.SendAsync(Mail("Grüße\r\n"), "sender@example.org", "someone@example.com", default);

        Assert.Equal((AttemptResult.Deferred, AttemptResult.Accepted), (deferred.Result, accepted.Result));
        Assert.Equal((false, true), (first.TakesEightBit, second.TakesEightBit));
    }
}
