using System.Buffers;
using System.Globalization;
using System.Text;
using Edm.Engine.Services.Replies;

namespace Edm.Engine.Services.Smtp;

/// <summary>
/// MAIL, RCPT, DATA and the mail (RFC 5321, 3.3). Where the server offers PIPELINING (RFC 2920) the three commands are one write. The mail itself goes out
/// after 354 and its end with its last octet, so no server can hold a mail before <see cref="EndHasGone"/>.
/// </summary>
internal sealed class MailTransaction(SmtpWire wire, Offers offers, SmtpTimeouts timeouts)
{
    private const int StartMail = 354;
    private const int LoginWanted = 530;

    private readonly ArrayBufferWriter<byte> _commands = new(512);

    /// <summary>The server holds what is left of a transaction: the next begins with RSET.</summary>
    private bool _isOpen;

    /// <summary>The line with the lone dot has been given to the system: from here on a lost connection leaves a doubt.</summary>
    public bool EndHasGone { get; private set; }

    /// <summary>The server is closing, or said what made no sense where it stood: no further mail on this connection.</summary>
    public bool IsSessionOver { get; private set; }

    private enum Step
    {
        Reset,
        Mail,
        Recipient,
        Data,
    }

    public async ValueTask<Attempt> RunAsync(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to)
    {
        EndHasGone = false;
        if (WhyNot(mail, from, to) is { } missing)
        {
            return missing;
        }

        var (step, reply) = offers.Pipelining ? await AskAtOnceAsync(mail, from, to) : await AskOneByOneAsync(mail, from, to);
        if (step != Step.Data || reply.Code != StartMail)
        {
            return Refused(step, reply);
        }

        wire.Deadline.Set(timeouts.Data);
        await DotStuffing.WriteAsync(wire, mail);
        EndHasGone = true;
        return Ended(await wire.ReadReplyAsync(keepWords: true));
    }

    /// <summary>What can be known to fail without asking.</summary>
    private Attempt? WhyNot(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to)
    {
        if (!offers.SmtpUtf8 && (mail.HasUtf8Header || from.NeedsUtf8 || to.NeedsUtf8))
        {
            return Attempts.Unsendable("the server does not offer SMTPUTF8, which letters outside ASCII before the @ need");
        }

        if (offers.MaxSize > 0 && mail.Length > offers.MaxSize)
        {
            return Attempts.Unsendable(string.Create(
                CultureInfo.InvariantCulture, $"the mail has {mail.Length} octets and the server takes {offers.MaxSize} at most"));
        }

        // It was built for a connection that offered it; the next try builds it anew.
        return mail.IsEightBit && !offers.EightBitMime ? Attempts.BeforeData("the server does not take 8-bit mails any more") : null;
    }

    private async ValueTask<(Step Step, SmtpReply Reply)> AskOneByOneAsync(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to)
    {
        for (var step = _isOpen ? Step.Reset : Step.Mail; ; step++)
        {
            _commands.ResetWrittenCount();
            Command(step, mail, from, to);
            wire.Deadline.Set(timeouts.Command);
            await wire.WriteAsync(_commands.WrittenMemory);
            var reply = await wire.ReadReplyAsync(keepWords: false);
            if (step == Step.Data || !reply.IsPositive)
            {
                return (step, reply);
            }

            _isOpen = step != Step.Reset;
        }
    }

    private async ValueTask<(Step Step, SmtpReply Reply)> AskAtOnceAsync(OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to)
    {
        _commands.ResetWrittenCount();
        var first = _isOpen ? Step.Reset : Step.Mail;
        for (var step = first; step <= Step.Data; step++)
        {
            Command(step, mail, from, to);
        }

        wire.Deadline.Set(timeouts.Command);
        await wire.WriteAsync(_commands.WrittenMemory);
        _isOpen = true;

        // Every command is answered, also after one that was refused (RFC 2920, 3.2). The first refusal is the one that counts: the others follow from it.
        var decisive = default((Step Step, SmtpReply Reply)?);
        for (var step = first; step <= Step.Data; step++)
        {
            var reply = await ReadAsync(decisive is not null);
            if (reply is not { } answer)
            {
                IsSessionOver = true;
                break;
            }

            var isYes = step == Step.Data ? answer.Code == StartMail : answer.IsPositive;
            if (step == Step.Data && isYes && decisive is { } before)
            {
                await EndWithoutMailAsync(before.Step);
            }

            decisive ??= isYes && step != Step.Data ? null : (step, answer);
            if (answer.IsClosing || (!isYes && !answer.IsRefusal))
            {
                // It closes, or the replies can't be told apart any more.
                IsSessionOver = true;
                break;
            }
        }

        return decisive!.Value;
    }

    /// <returns>Null when the connection ended, and what counts is known already.</returns>
    private async ValueTask<SmtpReply?> ReadAsync(bool isDecided)
    {
        try
        {
            return await wire.ReadReplyAsync(keepWords: false);
        }
        catch (Exception) when (isDecided)
        {
            return null;
        }
    }

    /// <summary>
    /// The server waits for a mail although it took no recipient: a lone dot ends that (RFC 2920, 3.1), and whatever it answers, there was nothing to
    /// deliver. Where it is not certain that it has no recipient, nothing at all may be sent.
    /// </summary>
    private async ValueTask EndWithoutMailAsync(Step refused)
    {
        if (refused != Step.Recipient)
        {
            IsSessionOver = true;
            return;
        }

        try
        {
            await wire.WriteAsync(EmptyMail);
            IsSessionOver = (await wire.ReadReplyAsync(keepWords: false)).IsClosing;
        }
        catch (Exception)
        {
            IsSessionOver = true;
        }
    }

    private static readonly byte[] EmptyMail = [.. ".\r\n"u8];

    private Attempt Refused(Step step, SmtpReply reply)
    {
        IsSessionOver |= reply.IsClosing || !reply.IsRefusal;
        return step switch
        {
            Step.Reset => Attempts.BeforeData("the server did not take a new mail after the one before", reply.Words),
            _ when reply.Code == LoginWanted => Attempts.LoginWanted(reply.Words),
            Step.Mail => Attempts.Refused(reply, "the sender", ReplyStage.Mail),
            Step.Recipient => Attempts.Refused(reply, "the recipient", ReplyStage.Rcpt),
            _ => Attempts.Refused(reply, "the start of data", ReplyStage.Data),
        };
    }

    private Attempt Ended(SmtpReply reply)
    {
        // Whatever it was, the transaction is over (RFC 5321, 4.1.1.4); RSET is for servers that think otherwise after a refusal.
        _isOpen = !reply.IsPositive;
        IsSessionOver = reply.IsClosing || !(reply.IsPositive || reply.IsRefusal);
        return reply.IsPositive ? Attempts.Accepted(reply)
            : reply.IsRefusal ? Attempts.Refused(reply, "the mail", ReplyStage.Data)
            : Attempts.AfterData(reply, "the end of data");
    }

    private void Command(Step step, OutgoingMail mail, EnvelopeAddress from, EnvelopeAddress to)
    {
        switch (step)
        {
            case Step.Reset:
                _commands.Write("RSET\r\n"u8);
                break;
            case Step.Mail:
                _commands.Write("MAIL FROM:<"u8);
                Encoding.UTF8.GetBytes(from.Text, _commands);
                _commands.Write(">"u8);
                if (offers.Size)
                {
                    _commands.Write(" SIZE="u8);
                    mail.Length.TryFormat(_commands.GetSpan(16), out var written, provider: CultureInfo.InvariantCulture);
                    _commands.Advance(written);
                }

                if (mail.IsEightBit)
                {
                    _commands.Write(" BODY=8BITMIME"u8);
                }

                if (mail.HasUtf8Header || from.NeedsUtf8 || to.NeedsUtf8)
                {
                    _commands.Write(" SMTPUTF8"u8);
                }

                _commands.Write("\r\n"u8);
                break;
            case Step.Recipient:
                _commands.Write("RCPT TO:<"u8);
                Encoding.UTF8.GetBytes(to.Text, _commands);
                _commands.Write(">\r\n"u8);
                break;
            case Step.Data:
                _commands.Write("DATA\r\n"u8);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, null);
        }
    }
}
