using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Smtp;
using LinqToDB.Mapping;

namespace Edm.Engine.Services;

public enum ServiceKind
{
    /// <summary>An SMTP server somewhere.</summary>
    Smtp,

    /// <summary>The sandbox of the node that runs the lane: nothing leaves the machine.</summary>
    Sandbox,
}

/// <summary>A mail service as its owner sees it. The password never comes out again.</summary>
/// <param name="LastError">The server's words when it last broke; null when it works.</param>
public sealed record Service(
    ServiceId Id,
    LaneId Lane,
    string Name,
    ServiceKind Kind,
    string? Host,
    int Port,
    TlsMode Tls,
    string? Username,
    bool HasPassword,
    string SenderAddress,
    string? SenderName,
    int? PerMinute,
    int? PerHour,
    int? PerDay,
    SendingLimits? Limits,
    int Connections,
    bool Enabled,
    long Version,
    string? LastError,
    DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt)
{
    public LoginKind Login { get; init; }

    /// <summary>The domain whose key signs its mails; null: they are not signed here.</summary>
    public string? DkimDomain { get; init; }
}

/// <summary>What a user gives to make or to change a service. Its pool and its kind never change.</summary>
/// <param name="Kind">Only looked at when it is made.</param>
/// <param name="Host">Of an smtp service; a sandbox has none.</param>
/// <param name="Port">Null: 465 with implicit TLS, else 587.</param>
/// <param name="Password">
/// Null keeps the stored one. With another host or user name it must be given again, so that nobody who may only change a service can have its
/// password sent to a host of their own.
/// </param>
public sealed record ServiceDraft(
    string Name,
    ServiceKind Kind,
    string? Host,
    int? Port,
    TlsMode Tls,
    string? Username,
    string? Password,
    string SenderAddress,
    string? SenderName = null,
    int? PerMinute = null,
    int? PerHour = null,
    int? PerDay = null,
    int Connections = 2,
    bool Enabled = true,
    LoginKind Login = LoginKind.Password,
    SendingLimits? Limits = null)
{
    // A record prints its members; this one must never print its secret.
    public override string ToString() => $"draft of service '{Name}'";
}

[Table("services")]
internal sealed class ServiceRow
{
    // Plain numbers, because pages compare them.
    [PrimaryKey, Identity] public long Id { get; init; }
    [Column] public long UserId { get; init; }
    [Column] public long PoolId { get; init; }
    [Column] public int Lane { get; init; }
    [Column] public required string Name { get; init; }
    [Column] public required string Kind { get; init; }
    [Column] public required string Host { get; init; }
    [Column] public int Port { get; init; }
    [Column] public required string Tls { get; init; }
    [Column] public string? Username { get; init; }
    [Column] public byte[]? Password { get; init; }
    [Column] public required string SenderAddress { get; init; }
    [Column] public string? SenderName { get; init; }
    [Column] public int? PerMinute { get; init; }
    [Column] public int? PerHour { get; init; }
    [Column] public int? PerDay { get; init; }
    [Column] public string? Limits { get; init; }
    [Column] public int Connections { get; init; }
    [Column] public bool Enabled { get; init; }
    [Column] public long Version { get; init; }
    [Column] public string? LastError { get; init; }
    [Column] public required string Login { get; init; }
    [Column] public string? DkimDomain { get; init; }
    [Column] public string? DkimSelector { get; init; }
    [Column] public string? DkimRecord { get; init; }
    [Column] public byte[]? DkimKey { get; init; }
    [Column] public long CreatedAt { get; init; }
    [Column] public long UpdatedAt { get; init; }
    [Column] public long? DeletedAt { get; init; }

    public ServiceKind KindValue => Kind == "sandbox" ? ServiceKind.Sandbox : ServiceKind.Smtp;

    /// <summary>What the password is locked for.</summary>
    public static string Owner(long user) => $"services of user {user}";

    /// <summary>What the signing key is locked for: nobody's password ever opens as one.</summary>
    public static string DkimOwner(long user) => $"signing keys of user {user}";

    public static string Of(LoginKind login) => login == LoginKind.XOAuth2 ? "xoauth2" : "password";

    public static string Of(ServiceKind kind) => kind == ServiceKind.Sandbox ? "sandbox" : "smtp";

    public static string Of(TlsMode tls) => tls switch
    {
        TlsMode.None => "none",
        TlsMode.StartTls => "starttls",
        TlsMode.Implicit => "implicit",
        TlsMode.Auto => "auto",
        _ => throw new ArgumentOutOfRangeException(nameof(tls), tls, null),
    };

    public Service ToService() => new(
        new ServiceId(Id), new LaneId(new PoolId(PoolId), Lane), Name, KindValue, HostValue, Port, TlsValue, Username, Password is not null, SenderAddress, SenderName,
        PerMinute, PerHour, PerDay, LimitsReader.Parse(Limits), Connections, Enabled, Version, LastError, DateTimeOffset.FromUnixTimeMilliseconds(CreatedAt), DateTimeOffset.FromUnixTimeMilliseconds(UpdatedAt))
    {
        Login = LoginValue,
        DkimDomain = DkimDomain,
    };

    public ServiceSettings ToSettings(SecretBox box) => new(
        new ServiceId(Id), new LaneId(new PoolId(PoolId), Lane), Name, HostValue, Port, TlsValue, Username, Password is null ? null : box.Open(Password, Owner(UserId)),
        SenderAddress, SenderName, PerMinute, LimitsReader.Read(PerHour, PerDay, LimitsReader.Parse(Limits)), Connections, Enabled, Version)
    {
        Login = LoginValue,
        Mark = box.Mark,
        HasError = LastError is not null,
        Dkim = this is { DkimDomain: { } domain, DkimSelector: { } selector, DkimKey: { } key } ? new DkimSettings(domain, selector, box.Open(key, DkimOwner(UserId))) : null,
    };

    private LoginKind LoginValue => Login == "xoauth2" ? LoginKind.XOAuth2 : LoginKind.Password;

    private string? HostValue => KindValue == ServiceKind.Sandbox ? null : Host;

    private TlsMode TlsValue => Tls switch
    {
        "none" => TlsMode.None,
        "starttls" => TlsMode.StartTls,
        "implicit" => TlsMode.Implicit,
        "auto" => TlsMode.Auto,
        _ => throw new InvalidOperationException($"Service {Id} has an unknown TLS mode '{Tls}'."),
    };
}
