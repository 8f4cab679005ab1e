namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// The form in which addresses are compared: the local part in lower case, since no provider in use tells local parts apart by case although RFC 5321 (2.4) would let
/// it; NFC; the domain in one spelling. Dots and +tags stay: they make another mailbox everywhere but at Gmail, and there only if asked.
/// </summary>
internal static class NormalForm
{
    /// <summary>For people and their tools: the domain in Unicode where IDNA has that form.</summary>
    /// <param name="foldGmail">At Gmail the dots and the part from + on do not count, and googlemail.com is gmail.com.</param>
    public static string Shown(Mailbox mailbox, bool foldGmail = false)
    {
        if (foldGmail && mailbox.Domain is "gmail.com" or "googlemail.com")
        {
            return $"{GmailAccount(mailbox.Local)}@gmail.com";
        }

        return $"{Lower(mailbox.Local)}@{DomainName.Shown(mailbox.Domain)}";
    }

    /// <summary>In NFC before and after, so that the form of a form is itself.</summary>
    public static string Lower(string local)
    {
        var lower = local.ToLowerInvariant();
        return CanonicalForm.Of(lower);
    }

    private static string GmailAccount(string local)
    {
        var lower = Lower(local);
        var plus = lower.IndexOf('+', StringComparison.Ordinal);
        var account = (plus > 0 ? lower[..plus] : lower).Replace(".", "", StringComparison.Ordinal);

        // Gmail has no quoted mailboxes, so what needs quotes is nobody's and stays as it is.
        return lower.StartsWith('"') || account.Length == 0 ? lower : account;
    }
}
