using System.Collections.Frozen;

namespace Edm.Engine.Contacts.Addresses;

/// <summary>
/// Mailboxes of a function and not of a person: those of RFC 2142, what companies commonly have, robots, and the helpers of mailing lists. Case, a +tag, quotes and
/// the dots, hyphens and underscores between the words make no difference.
/// </summary>
internal static class RoleAccounts
{
    private static readonly FrozenSet<string> Names = Words(
        // RFC 2142
        "info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp",
        // Robots
        "noreply nreply noanswer donotreply dontreply noresponse mailerdaemon daemon bounce bounces autoreply autoresponder robot bot system notification notifications notify alert alerts "
            + "nobody devnull null",
        // Administration
        "root admin admins administrator administration sysadmin sysadmins sysop systemadmin itadmin it itsupport webadmin hostadmin dnsadmin dns domain domains registrar ssladmin ssladministrator "
            + "postmasters network ops operations devops engineering dev developer developers tech technical technik techsupport test tester testing spam phishing virus antispam dmarc dmarcreports tlsrpt",
        // The front desk
        "contact contacts contactus office offices reception frontdesk secretary secretariat mail email mailbox postbox inbox hello hi hey ask askus question questions enquiry enquiries inquiry inquiries "
            + "general generalinfo information welcome team staff everyone everybody all allstaff allusers company group board directors management",
        // Customers
        "help helpdesk helpline service services servicedesk customer customers customerservice customerservices customersupport customercare clientservice clientservices clients care supportteam feedback "
            + "complaints complaint returns refunds warranty member members membership register registration signup login account accounts myaccount user users guest",
        // Money and trade
        "billing invoice invoices invoicing payment payments pay payroll payable accountspayable accountsreceivable accounting accountant bookkeeping finance financial tax treasury order orders purchase "
            + "purchasing procurement quote quotes offer offers shop store webshop ecommerce shipping delivery logistics warehouse export import wholesale retail salesteam presales business bizdev "
            + "businessdevelopment partner partners partnership partnerships affiliate affiliates sponsor sponsors sponsorship sponsorships advertise advertising ads adops collab collabs collaboration "
            + "collaborations booking bookings reservation reservations events event",
        // Words to the world
        "press media pr publicrelations communications editor editors editorial redaction newsroom newsletter newsletters subscribe subscriber subscribers subscription subscriptions unsubscribe optout list "
            + "lists listserv majordomo mailman announce announcements blog social socialmedia community forum webinar webteam website web content publisher publicity investor investors "
            + "investorrelations ir",
        // People and law
        "hr humanresources job jobs career careers recruiting recruitment recruiter talent hiring vacancies apply application applications resume resumes cv training legal law lawyer compliance privacy "
            + "dataprotection dpo gdpr dsar copyright dmca trademark trust trustandsafety safety ethics audit",
        // Other languages
        "kontakt buero buro bewerbung bewerbungen rechnung rechnungen buchhaltung vertrieb verkauf einkauf verwaltung zentrale empfang presse redaktion datenschutz impressum kundenservice kundendienst "
            + "bestellung bestellungen personal technicalsupport geschaeftsfuehrung anfrage anfragen post contacto contato contatto ventas vendas venta ayuda soporte suporte informacion informacoes "
            + "informazioni administracion administracao amministrazione facturacion facturas comercial commerciale compras atencionalcliente rrhh prensa recepcion reservas assistenza ufficio ordini vendite "
            + "segreteria bonjour accueil commercial commande commandes comptabilite facturation direction secretariat ventes rh recrutement biuro sklep zamowienia sprzedaz reklama");

    /// <param name="local">In the form of <see cref="Mailbox.Local"/>.</param>
    public static bool Contains(string local)
    {
        var name = LocalPart.Content(local);
        var plus = name.IndexOf('+', StringComparison.Ordinal);
        if (plus > 0)
        {
            name = name[..plus];
        }

        name = name.Trim().ToLowerInvariant();

        // RFC 2142, 6, and the programs that run lists.
        if (name.EndsWith("-request", StringComparison.Ordinal) || name.EndsWith("-owner", StringComparison.Ordinal) || name.StartsWith("owner-", StringComparison.Ordinal)
            || name.EndsWith("-bounces", StringComparison.Ordinal) || name.EndsWith("-unsubscribe", StringComparison.Ordinal) || name.EndsWith("-subscribe", StringComparison.Ordinal))
        {
            return true;
        }

        return Names.Contains(string.Concat(name.Where(c => c is not ('.' or '-' or '_'))));
    }

    private static FrozenSet<string> Words(params string[] lists) =>
        lists.SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToFrozenSet(StringComparer.Ordinal);
}
