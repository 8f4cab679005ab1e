using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Dkim;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Services;

public enum TlsMode
{
    /// <summary>Plain text; for loopback and tests.</summary>
    None,

    /// <summary>STARTTLS must succeed (RFC 3207).</summary>
    StartTls,

    /// <summary>TLS from the first byte (RFC 8314, port 465).</summary>
    Implicit,

    /// <summary>STARTTLS where the server offers it.</summary>
    Auto,
}

/// <summary>Everything a ServiceSink needs to send through one mail service. The password is in clear here and nowhere else: never log this record.</summary>
/// <param name="Host">Null for a sandbox service: the sandbox listener of the node that runs the lane.</param>
/// <param name="Version">Counts changes, so that a late, older reading never replaces a newer one.</param>
public sealed record ServiceSettings(
    ServiceId Id,
    LaneId Lane,
    string Name,
    string? Host,
    int Port,
    TlsMode Tls,
    string? Username,
    string? Password,
    string SenderAddress,
    string? SenderName,
    int? PerMinute,
    ServiceLimits Limits,
    int Connections,
    bool Enabled,
    long Version)
{
    public LoginKind Login { get; init; }

    /// <summary>Tells the Message-IDs of this installation from those of another that sends for the same domain, see <see cref="SecretBox.Mark"/>.</summary>
    public string Mark { get; init; } = "0";

    /// <summary>Null: mails go out unsigned, or the server signs them.</summary>
    public DkimSettings? Dkim { get; init; }

    /// <summary>Its page says what was wrong with it last.</summary>
    public bool HasError { get; init; }

    /// <summary>Those of its pool.</summary>
    public SelectionWeights Weights { get; init; } = new();

    // A record prints its members; this one must never print its secret.
    public override string ToString() => $"service {Id} '{Name}'";
}
