using Edm.Contracts;
using Edm.Engine.Content;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

/// <summary>A mail that may be started, or the one reason why it may not.</summary>
/// <param name="BadMail">This mail can't be sent by anybody, in plain words.</param>
/// <param name="Other">Neither the mail's fault nor the service's.</param>
internal sealed record Prepared(ServiceId Service, MailKey Key, OutgoingMail? Message, ServiceFaultException? ServiceFault, string? BadMail, Exception? Other) : IForSink;

/// <summary>Everything that can go wrong before a mail is started, so that it goes wrong for nobody: the template, the message, the connection.</summary>
internal sealed class PrepareMail(LaneRooms rooms, CancellationToken stopping)
{
    public async Task<Prepared> PrepareAsync(IMailConnection connection, Mail mail, ServiceSettings with)
    {
        try
        {
            await connection.EnsureReadyAsync(stopping);
        }
        catch (ServiceFaultException e)
        {
            return new Prepared(with.Id, mail.Key, null, e, null, null);
        }
        catch (Exception e)
        {
            return new Prepared(with.Id, mail.Key, null, null, null, e);
        }

        try
        {
            var template = await rooms.Templates.GetAsync(mail.Task.Template, mail.Task.TemplateVersion, stopping);
            var rendered = template.Render(mail.Contact, new ServiceSender(with.SenderAddress, with.SenderName));
            var toCompose = new MailToCompose(
                rendered, with, mail.Contact.Email, mail.Contact.Nickname, MessageIds.Of(mail, with), rooms.Time.GetUtcNow(), connection.TakesEightBit);

            // A signature takes a quarter of a millisecond: not on the thread of the one actor that feeds all connections of the service.
            var message = with.Dkim is null ? rooms.Mime.Compose(toCompose) : await Task.Run(() => rooms.Mime.Compose(toCompose), stopping);
            return new Prepared(with.Id, mail.Key, message, null, null, null);
        }
        catch (TemplateException e)
        {
            return new Prepared(with.Id, mail.Key, null, null, $"template: {e.Message}", null);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return new Prepared(with.Id, mail.Key, null, null, "the mail can't be built from this contact", null);
        }
        catch (Exception e)
        {
            return new Prepared(with.Id, mail.Key, null, null, null, e);
        }
    }
}
