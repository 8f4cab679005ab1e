using Edm.Engine.Services;
using Edm.Engine.Services.Smtp;
using Edm.Testing;
using Xunit;
using static Edm.Engine.Tests.Services.Smtp.ConnectionFixture;

namespace Edm.Engine.Tests.Services.Smtp;

public sealed class SmtpConnectionTests
{
    private const string Hello = ScriptedServer.Hello;
    private const string UpToBody = ScriptedServer.UpToBody;

    [Fact]
    public async Task A_final_250_is_accepted_with_the_servers_words()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 2.0.0 queued as 4711");
        await using var connection = To(server);

        Assert.Equal(new Attempt(AttemptResult.Accepted, 250, "2.0.0", "2.0.0 queued as 4711", null), await connection.SendAsync());
    }

    [Fact]
    public async Task A_kept_connection_takes_the_next_mail()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\n" + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
        Assert.Equal(2, server.Mails.Count);
    }

    [Fact]
    public async Task With_pipelining_sender_recipient_and_DATA_go_out_at_once_and_the_mail_after_354()
    {
        const string conversation = """
            S: 220 test
            C: EHLO *
            S: 250-test
            S: 250 PIPELINING
            C: MAIL FROM:<sender@example.org>
            C: RCPT TO:<someone@example.com>
            C: DATA
            S: 250 ok
            S: 250 ok
            S: 354 go on
            C: mail
            S: 250 ok
            """;
        await using var server = new ScriptedServer(conversation);
        await using var connection = To(server);

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData("S: 451 4.3.0 try later", AttemptResult.Deferred, 451, "4.3.0", "the server deferred the mail")]
    [InlineData("S: 554 5.7.1 spam", AttemptResult.Rejected, 554, "5.7.1", "the server refused the mail")]
    public async Task The_final_reply_decides(string reply, AttemptResult result, int code, string enhanced, string reason)
    {
        await using var server = new ScriptedServer(Hello + UpToBody + reply + "\nC: RSET\nS: 250 ok\n" + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((result, code, enhanced, reason), (attempt.Result, attempt.ReplyCode, attempt.Enhanced, attempt.Reason));
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData("S: 450 4.7.1 later", AttemptResult.Deferred, 450, "the server deferred the sender")]
    [InlineData("S: 550 5.7.1 not you", AttemptResult.Rejected, 550, "the server refused the sender")]
    public async Task A_reply_to_MAIL_decides_and_the_connection_stays_good(string reply, AttemptResult result, int code, string reason)
    {
        await using var server = new ScriptedServer(
            Hello + "C: MAIL FROM:<sender@example.org>*\n" + reply + "\n" + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((result, code, reason), (attempt.Result, attempt.ReplyCode, attempt.Reason));
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData("S: 452 4.2.2 full", AttemptResult.Deferred, 452, "the server deferred the recipient")]
    [InlineData("S: 550 5.1.1 unknown", AttemptResult.Rejected, 550, "the server refused the recipient")]
    public async Task A_reply_to_RCPT_decides_and_the_connection_stays_good(string reply, AttemptResult result, int code, string reason)
    {
        await using var server = new ScriptedServer(
            Hello + "C: MAIL FROM:<sender@example.org>*\nS: 250 ok\nC: RCPT TO:<someone@example.com>\n" + reply + "\nC: RSET\nS: 250 ok\n" + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((result, code, reason), (attempt.Result, attempt.ReplyCode, attempt.Reason));
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Theory]
    [InlineData("S: 451 4.3.2 not now", AttemptResult.Deferred, 451)]
    [InlineData("S: 554 5.3.0 never", AttemptResult.Rejected, 554)]
    [InlineData("S: 250 what?", AttemptResult.Deferred, 250)]
    public async Task A_reply_to_DATA_decides_and_2xx_there_is_no_acceptance(string reply, AttemptResult result, int code)
    {
        await using var server = new ScriptedServer(
            Hello + UpToBody.Replace("S: 354 go on", reply, StringComparison.Ordinal).Replace("C: mail", "", StringComparison.Ordinal));
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((result, (int?)code), (attempt.Result, attempt.ReplyCode));
        Assert.NotNull(attempt.Reason);
    }

    [Fact]
    public async Task Lost_before_the_mail_on_a_fresh_connection_is_deferred()
    {
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\nclose");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, null, "connection lost before the end of the mail"), (attempt.Result, attempt.ReplyCode, attempt.Reason));
        Assert.False(connection.IsReady);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("reset")]
    [InlineData("S: 421 4.4.2 idle for too long\nclose")]
    public async Task A_kept_connection_that_the_server_closed_is_opened_again_and_the_mail_tried_at_once(string end)
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\n" + end, Hello + UpToBody + "S: 250 ok");
        await using var connection = To(server);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
        await server.PlayedAsync(1);

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
        Assert.Equal(2, server.Mails.Count);
    }

    [Fact]
    public async Task A_kept_connection_lost_between_MAIL_and_DATA_is_opened_again_once_and_no_more()
    {
        const string lost = Hello + "C: MAIL FROM:<sender@example.org>*\nclose";
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\nC: MAIL FROM:<sender@example.org>*\nclose", lost);
        await using var connection = To(server);
        await connection.SendAsync();

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, "connection lost before the end of the mail"), (attempt.Result, attempt.Reason));
        await server.PlayedOut;
    }

    [Fact]
    public async Task A_kept_connection_that_cannot_be_opened_again_defers_the_mail_and_says_why()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\nclose", "S: 554 5.3.2 closed for today\nclose");
        await using var connection = To(server);
        await connection.SendAsync();
        await server.PlayedAsync(1);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, "the service can't be used"), (attempt.Result, attempt.Reason));
        Assert.Contains("closed for today", attempt.Reply, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("C: DATA\nS: 354 go on\nclose")]
    [InlineData("C: DATA\nS: 354 go on\nC: mail\nclose")]
    [InlineData("C: DATA\nS: 354 go on\nC: mail\nreset")]
    public async Task Lost_after_the_mail_is_unknown_and_never_tried_again(string end)
    {
        const string envelope = "C: MAIL FROM:<sender@example.org>*\nS: 250 ok\nC: RCPT TO:<someone@example.com>\nS: 250 ok\n";
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\n" + envelope + end);
        await using var connection = To(server);
        await connection.SendAsync();

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Unknown, null, "connection lost after the end of the mail"), (attempt.Result, attempt.ReplyCode, attempt.Reason));
        Assert.False(connection.IsReady);
    }

    [Fact]
    public async Task Lost_between_DATA_and_354_is_tried_again_because_no_server_can_hold_the_mail()
    {
        await using var server = new ScriptedServer(
            Hello + UpToBody + "S: 250 ok\nC: MAIL FROM:<sender@example.org>*\nS: 250 ok\nC: RCPT TO:<someone@example.com>\nS: 250 ok\nC: DATA\nclose",
            Hello + UpToBody + "S: 250 ok");
        await using var connection = To(server);
        await connection.SendAsync();

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
        Assert.Equal(2, server.Mails.Count);
    }

    [Fact]
    public async Task A_server_that_stops_reading_in_the_middle_of_the_mail_is_given_up_and_the_mail_deferred()
    {
        await using var server = new ScriptedServer(Hello + UpToBody.Replace("C: mail", "deaf", StringComparison.Ordinal));
        await using var connection = To(server, Short);

        var attempt = await connection.SendAsync(Mail(string.Concat(Enumerable.Repeat("0123456789\r\n", 1_200_000))), "sender@example.org", "someone@example.com", default);

        Assert.Equal((AttemptResult.Deferred, "no reply in time"), (attempt.Result, attempt.Reply));
    }

    [Fact]
    public async Task A_reply_that_drips_does_not_move_the_deadline()
    {
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\ndrip");
        await using var connection = To(server, Short);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, "no reply in time"), (attempt.Result, attempt.Reply));
    }

    [Fact]
    public async Task No_reply_before_the_mail_in_time_is_deferred()
    {
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\nhold");
        await using var connection = To(server, Short);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, "no reply in time"), (attempt.Result, attempt.Reply));
    }

    [Fact]
    public async Task No_reply_to_the_mail_in_time_is_unknown()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "hold");
        await using var connection = To(server, Short);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Unknown, "no reply in time to the mail"), (attempt.Result, attempt.Reason));
    }

    [Fact]
    public async Task A_connection_that_timed_out_works_again_after_it_was_opened_anew()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "hold", Hello + UpToBody + "S: 250 ok");
        await using var connection = To(server, Short);
        await connection.SendAsync();

        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task Stopped_before_the_mail_is_deferred()
    {
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\nhold");
        await using var connection = To(server);
        await connection.EnsureReadyAsync(default);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        var attempt = await connection.SendAsync(stop.Token);

        Assert.Equal((AttemptResult.Deferred, "stopped before the end of the mail"), (attempt.Result, attempt.Reason));
    }

    [Fact]
    public async Task Stopped_while_waiting_for_the_last_reply_is_unknown()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "hold");
        await using var connection = To(server);
        using var stop = new CancellationTokenSource();
        var sending = connection.SendAsync(stop.Token);
        await Eventually.Async(() => server.Mails.Count == 1, TimeSpan.FromSeconds(30), "the mail reaches the server");

        await stop.CancelAsync();

        Assert.Equal((AttemptResult.Unknown, "stopped after the end of the mail, before the server's reply"), ((await sending).Result, (await sending).Reason));
    }

    [Fact]
    public async Task After_421_the_connection_is_not_used_again()
    {
        await using var server = new ScriptedServer(
            Hello + "C: MAIL FROM:<sender@example.org>*\nS: 421 4.3.2 shutting down\nclose", Hello + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, 421), (attempt.Result, attempt.ReplyCode));
        Assert.False(connection.IsReady);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task A_login_that_is_wanted_blames_the_service_and_not_the_mail()
    {
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\nS: 530 5.7.0 authentication required");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, 530, "the server asks for a login"), (attempt.Result, attempt.ReplyCode, attempt.Reason));
    }

    [Fact]
    public async Task A_reply_without_end_is_cut_off()
    {
        var endless = string.Concat(Enumerable.Repeat("S: 250-" + new string('x', 900) + "\n", 100));
        await using var server = new ScriptedServer(Hello + "C: MAIL FROM:<sender@example.org>*\n" + endless + "hold");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal((AttemptResult.Deferred, "the server's reply has no end"), (attempt.Result, attempt.Reply));
    }

    [Theory]
    [InlineData("someone@example.com\r\nRCPT TO:<other@example.com>")]
    [InlineData("someone@example.com> NOTIFY=NEVER")]
    [InlineData("\"a\r\nDATA\r\n\"@example.com")]
    [InlineData("nobody")]
    [InlineData("")]
    public async Task An_address_that_would_break_a_command_never_reaches_the_server(string recipient)
    {
        await using var server = new ScriptedServer(Hello);
        await using var connection = To(server);
        await connection.EnsureReadyAsync(default);

        var attempt = await connection.SendAsync(Mail(), "sender@example.org", recipient, default);

        Assert.Equal(AttemptResult.Rejected, attempt.Result);
        Assert.True(connection.IsReady);
    }

    [Fact]
    public async Task An_internationalised_domain_goes_out_in_ascii_also_to_a_server_that_has_SMTPUTF8_because_the_next_hop_may_not()
    {
        const string conversation = """
            S: 220 test
            C: EHLO *
            S: 250-test
            S: 250 SMTPUTF8
            C: MAIL FROM:<sender@example.org>
            S: 250 ok
            C: RCPT TO:<someone@xn--hckh0k.example.com>
            S: 250 ok
            C: DATA
            S: 354 go on
            C: mail
            S: 250 ok
            """;
        await using var server = new ScriptedServer(conversation);
        await using var connection = To(server);

        var attempt = await connection.SendAsync(Mail(), "sender@example.org", "someone@xn--hckh0k.example.com", default);

        Assert.Equal(AttemptResult.Accepted, attempt.Result);
    }

    [Fact]
    public async Task An_address_outside_ascii_is_refused_where_the_server_has_no_SMTPUTF8_and_the_next_mail_goes()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok\n" + UpToBody + "S: 250 ok");
        await using var connection = To(server);
        await connection.SendAsync();

        var attempt = await connection.SendAsync(Mail(), "sender@example.org", "jürgen@example.com", default);

        Assert.Equal(AttemptResult.Rejected, attempt.Result);
        Assert.Equal("the server does not offer SMTPUTF8, which letters outside ASCII before the @ need", attempt.Reason);
        Assert.Equal(AttemptResult.Accepted, (await connection.SendAsync()).Result);
    }

    [Fact]
    public async Task An_address_outside_ascii_goes_with_SMTPUTF8_where_the_server_has_it_and_other_mails_without()
    {
        const string hello = "S: 220 test\nC: EHLO *\nS: 250-test\nS: 250-8BITMIME\nS: 250 SMTPUTF8\n";
        static string Mail(string from, string to) => $"C: MAIL FROM:<sender@example.org>{from}\nS: 250 ok\nC: RCPT TO:<{to}>\nS: 250 ok\nC: DATA\nS: 354 go on\nC: mail\nS: 250 ok\n";
        await using var server = new ScriptedServer(
            hello + Mail(" SMTPUTF8", "jürgen@example.com") + Mail("", "someone@example.com") + Mail("", "someone@xn--hckh0k.example.com") + Mail(" SMTPUTF8", "jürgen@example.com"));
        await using var connection = To(server);

        foreach (var recipient in (string[])["jürgen@example.com", "someone@example.com", "someone@xn--hckh0k.example.com", "jürgen@example.com"])
        {
            var attempt = await connection.SendAsync(ConnectionFixture.Mail(), "sender@example.org", recipient, default);
            Assert.True(attempt.Result == AttemptResult.Accepted, $"{recipient}: {attempt.Reason} {attempt.Reply}");
        }
    }

    [Fact]
    public async Task Lines_that_begin_with_a_dot_are_stuffed()
    {
        await using var server = new ScriptedServer(Hello + UpToBody + "S: 250 ok");
        await using var connection = To(server);

        await connection.SendAsync(Mail("one\r\n.\r\n.two\r\n"), "sender@example.org", "someone@example.com", default);

        Assert.Contains("one\r\n..\r\n..two\r\n", server.Mails[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_are_cut_out_of_the_reply()
    {
        await using var server = new ScriptedServer(
            Hello + "C: MAIL FROM:<sender@example.org>*\nS: 250 ok\nC: RCPT TO:<someone@example.com>\nS: 550-5.1.1 <someone@example.com>:\nS: 550 5.1.1 unknown\nC: RSET\nS: 250 ok");
        await using var connection = To(server);

        var attempt = await connection.SendAsync();

        Assert.Equal(("5.1.1", "5.1.1 <address>: 5.1.1 unknown"), (attempt.Enhanced, attempt.Reply));
    }
}
