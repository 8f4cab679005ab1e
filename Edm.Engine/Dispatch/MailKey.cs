using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>Names one recipient under one lease: what a mail is called from the moment a lane gets it until its outcome is recorded.</summary>
public readonly record struct MailKey(UserId User, LeaseNr Lease, int Seq)
{
    public static MailKey Of(StartedMail mail) => new(mail.User, mail.Lease, mail.Seq);

    public static MailKey Of(EndedMail mail) => new(mail.User, mail.Outcome.Lease, mail.Outcome.Seq);

    public static MailKey Of(WithdrawnMail mail) => new(mail.User, mail.Lease, mail.Seq);
}
