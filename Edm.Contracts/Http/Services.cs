namespace Edm.Contracts.Http;

/// <summary>A mail service: an SMTP account, or the built-in sandbox. Its password is never told again.</summary>
/// <param name="Lane">The lane of its pool in which it lives for ever.</param>
/// <param name="LastError">The server's words when it last broke; null when it works.</param>
/// <param name="Version">Counts changes.</param>
/// <param name="Login">password, or xoauth2: the password is an OAuth 2.0 access token.</param>
/// <param name="DkimDomain">The domain whose key signs its mails; null when they are not signed here.</param>
public sealed record ServiceView(
    ServiceId Id, PoolId PoolId, int Lane, string Name, string Kind, string? Host, int Port, string Tls, string? Username, bool HasPassword,
    string SenderAddress, string? SenderName, int? PerMinute, int? PerHour, int? PerDay, int Connections, bool Enabled, long Version, string? LastError,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string Login, string? DkimDomain, SendingLimits? Limits);

/// <param name="Kind">smtp or sandbox.</param>
/// <param name="Host">Of an smtp service; leave it out for a sandbox.</param>
/// <param name="Port">465 with implicit TLS and 587 otherwise when it is left out.</param>
/// <param name="Tls">none, starttls, implicit, or auto: STARTTLS where the server offers it.</param>
/// <param name="Login">password (by PLAIN or LOGIN; what is taken when it is left out), or xoauth2: the password is an OAuth 2.0 access token.</param>
/// <param name="SenderAddress">The From address of its mails.</param>
/// <param name="PerMinute">Mails a minute at most; null for no limit.</param>
/// <param name="PerHour">Mails at most in any hour; null for no limit.</param>
/// <param name="PerDay">Mails a day of its time zone at most; null for no limit.</param>
/// <param name="Connections">Kept connections, 1 to 100.</param>
public sealed record NewService(
    PoolId PoolId, string Name, string Kind, string SenderAddress, string? Host = null, int? Port = null, string? Tls = null, string? Username = null,
    string? Password = null, string? SenderName = null, int? PerMinute = null, int? PerHour = null, int? PerDay = null, int Connections = 2, bool Enabled = true,
    string? Login = null, SendingLimits? Limits = null);

/// <summary>What is left out stays as it is. With another host or user name the password must be given again.</summary>
public sealed record ServiceChange
{
    public Optional<string> Name { get; init; }
    public Optional<string> Host { get; init; }
    public Optional<int?> Port { get; init; }
    public Optional<string> Tls { get; init; }
    public Optional<string> Username { get; init; }
    public Optional<string> Password { get; init; }
    public Optional<string> Login { get; init; }
    public Optional<string> SenderAddress { get; init; }
    public Optional<string> SenderName { get; init; }
    public Optional<int?> PerMinute { get; init; }
    public Optional<int?> PerHour { get; init; }
    public Optional<int?> PerDay { get; init; }

    /// <summary>All of them anew; null for none.</summary>
    public Optional<SendingLimits?> Limits { get; init; }
    public Optional<int> Connections { get; init; }
    public Optional<bool> Enabled { get; init; }
}

/// <summary>Why a service sends nothing now, or less than it could. The same state gives the same words.</summary>
/// <param name="Code">
/// disabled, stopping, not-working, last-try-failed, throttled, slowed, ailing, window-closed, day-used-up, hour-used-up, minute-used-up, gap, pace, provider-refuses,
/// provider-throttled, provider-slowed, provider-used-up, busy, nothing-to-send, no-answer or last-error.
/// </param>
/// <param name="Text">The same in one sentence, with the server's words where it said something.</param>
/// <param name="Until">When it ends by itself; null when nobody can tell, or somebody has to end it.</param>
/// <param name="Blocks">Nothing goes out because of it; else only some mails don't, or they go more slowly.</param>
public sealed record ServiceReasonView(string Code, string Text, DateTimeOffset? Until, bool Blocks);

/// <param name="CanSend">A mail can start now; null when its lane does not answer.</param>
/// <param name="Reasons">What has to end first stands first.</param>
/// <param name="NextAt">The next moment at which a mail can start; null when one can now, or nobody can tell.</param>
/// <param name="Capacity">How much it can send, in one sentence; null when its lane does not answer.</param>
/// <param name="Health">
/// 1, 0.7, 0.5 or 0: the part of its quotas that it is trusted with, by how many of its last mails failed for reasons of its own; 0 while it does not work.
/// </param>
public sealed record ServiceWhyView(ServiceId Id, bool? CanSend, IReadOnlyList<ServiceReasonView> Reasons, DateTimeOffset? NextAt, string? Capacity, double? Health);

/// <summary>What became of a try to reach a service; nothing was sent.</summary>
/// <param name="Words">What the server or the network said.</param>
public sealed record ServiceTestView(bool Works, string Words, int Milliseconds);

/// <summary>How a service signs its mails (DKIM, RFC 6376). The private key is never told again.</summary>
/// <param name="Domain">The signing domain.</param>
/// <param name="Selector">Names the key under that domain.</param>
/// <param name="DnsName">Where the TXT record belongs.</param>
/// <param name="DnsValue">What the TXT record must say.</param>
/// <param name="ZoneLine">The same as a line of a zone file, in pieces of at most 255 characters.</param>
public sealed record DkimView(string Domain, string Selector, string Algorithm, string DnsName, string DnsValue, string ZoneLine);

/// <param name="Selector">Letters, digits and hyphens, such as edm.</param>
/// <param name="Domain">The domain of the sender address when it is left out; else one above or below it.</param>
/// <param name="Algorithm">rsa (2,048 bits; what is taken when it is left out) or ed25519: of a key that is made.</param>
/// <param name="PrivateKey">In PEM: RSA of 1,024 to 4,096 bits, or Ed25519. Left out, a key is made.</param>
public sealed record NewDkim(string Selector, string? Domain = null, string? Algorithm = null, string? PrivateKey = null);
