namespace Edm.Engine.Contacts.Addresses;

/// <summary>What stands behind the @.</summary>
internal enum DomainKind
{
    /// <summary>A domain name of at least two labels.</summary>
    Name,

    /// <summary>A top-level domain on its own (RFC 5321, 2.3.5).</summary>
    TopLevel,

    /// <summary>A name whose last label is a number: the grammar allows it, no such domain can exist (RFC 3696, 2).</summary>
    Numeric,

    /// <summary>An IP address in brackets (RFC 5321, 4.1.3).</summary>
    Literal,
}

/// <summary>An address whose syntax is right, in one spelling of the several that it may have.</summary>
/// <param name="Local">As the envelope carries it: NFC, in quotes only where they are needed, in the case it was written in.</param>
/// <param name="Domain">A-labels in lower case, or a literal in its shortest form.</param>
internal readonly record struct Mailbox(string Local, string Domain, DomainKind Kind)
{
    /// <summary>As the envelope carries it. Beyond ASCII only where <see cref="NeedsUtf8"/>.</summary>
    public string Address => $"{Local}@{Domain}";

    /// <summary>Only servers with SMTPUTF8 (RFC 6531) take it.</summary>
    public bool NeedsUtf8 => !System.Text.Ascii.IsValid(Local);
}
