namespace Edm.Engine.Contacts.Addresses;

/// <summary>All that EDM can tell of one address without asking anyone.</summary>
/// <param name="Address">As it was given, character for character.</param>
/// <param name="Valid">The syntax is right (<see cref="AddressSyntax"/>): it may go onto an envelope as it is.</param>
/// <param name="Normal">The form for comparing (<see cref="NormalForm"/>); null unless valid.</param>
/// <param name="Ascii">As an envelope without SMTPUTF8 carries it; null when it can't, or is not valid.</param>
/// <param name="Role">The mailbox of a function (<see cref="RoleAccounts"/>).</param>
/// <param name="Disposable">The mailbox is one to throw away (<see cref="DisposableDomains"/>).</param>
/// <param name="Suggestion">The address that was probably meant, if another one was.</param>
/// <param name="Reason">Why it is not valid, or why EDM would not keep a contact under it although it is; else null.</param>
public sealed record AddressReport(string Address, bool Valid, string? Normal, string? Ascii, bool Role, bool Disposable, string? Suggestion, string? Reason)
{
    /// <param name="foldGmail">See <see cref="NormalForm.Shown"/>.</param>
    public static AddressReport Of(string text, bool foldGmail = false)
    {
        if (!AddressSyntax.TryRead(text, out var mailbox, out var reason))
        {
            return new AddressReport(text, false, null, null, false, false, AddressRepair.Of(text), reason);
        }

        var meant = mailbox.Kind == DomainKind.Literal ? null : DomainTypos.Meant(mailbox.Domain);
        return new AddressReport(
            text,
            true,
            NormalForm.Shown(mailbox, foldGmail),
            mailbox.NeedsUtf8 ? null : mailbox.Address,
            RoleAccounts.Contains(mailbox.Local),
            DisposableDomains.Contains(mailbox.Domain),
            meant is null ? null : $"{mailbox.Local}@{DomainName.Shown(meant)}",
            EmailAddress.WhyNotMailed(mailbox));
    }
}
