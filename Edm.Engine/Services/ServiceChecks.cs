using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;
using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Services;

/// <summary>What a pool and a service may be. Every refusal names the field as the API writes it, and says what is expected.</summary>
internal static class ServiceChecks
{
    /// <summary>Each lane is an entity with a graph of its own; 64 keep every core of a large cluster busy.</summary>
    public const int MaxLanes = 64;

    /// <summary>More connections to one server are refused by nearly all of them.</summary>
    public const int MaxConnections = 100;

    private const int MaxName = 100;

    /// <exception cref="FieldException">A value can't be used.</exception>
    public static void Check(ServiceDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        Name("name", draft.Name);
        if (draft.Kind == ServiceKind.Smtp)
        {
            Host(draft.Host);
            if (draft.Port is { } port)
            {
                Range("port", port, 1, 65535);
            }
        }
        else if (draft.Host is not null)
        {
            throw new FieldException("host", "A sandbox service has no host: it is the sandbox of the node itself.");
        }

        Secret("username", draft.Username, 256);
        Secret("password", draft.Password, 1024);
        if (draft.Password is not null && draft.Username is null)
        {
            throw new FieldException("username", "A password needs a user name.");
        }

        if (!Envelope.TryParse(draft.SenderAddress ?? "", out var sender) || sender.Local.Length > 64)
        {
            throw new FieldException("senderAddress", $"'{Shown(draft.SenderAddress)}' is not an e-mail address. Expected such as news@example.com.");
        }

        if (draft.SenderName is not null)
        {
            Name("senderName", draft.SenderName);
        }

        Limit("perMinute", draft.PerMinute, TokenBucket.MaxPerMinute);
        Limit("perHour", draft.PerHour, TokenBucket.MaxPerMinute * 60);
        Limit("perDay", draft.PerDay, TokenBucket.MaxPerMinute * 60 * 24);
        LimitsReader.Read(draft.PerHour, draft.PerDay, draft.Limits);
        Range("connections", draft.Connections, 1, MaxConnections);
    }

    public static void Name(string field, string? name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxName || name.Any(char.IsControl))
        {
            throw new FieldException(field, $"Expected 1 to {MaxName} characters on one line.");
        }
    }

    /// <exception cref="FieldException">A weight can't be used.</exception>
    public static void Weights(SelectionWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Weight("weights.time", weights.Time);
        Weight("weights.quota", weights.Quota);
        Weight("weights.success", weights.Success);
        Weight("weights.providerFit", weights.ProviderFit);
        if (weights.Time + weights.Quota + weights.Success + weights.ProviderFit <= 0)
        {
            throw new FieldException("weights", "One of the weights must be more than 0.");
        }
    }

    private static void Weight(string field, double weight)
    {
        if (weight is not (>= 0 and <= 1000))
        {
            throw new FieldException(field, $"{weight} can't be used. Expected 0 to 1000.");
        }
    }

    public static void Range(string field, int value, int lowest, int highest)
    {
        if (value < lowest || value > highest)
        {
            throw new FieldException(field, $"{value} can't be used. Expected {lowest} to {highest}.");
        }
    }

    private static void Host(string? host)
    {
        if (host is null || host.Length > 255 || Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            throw new FieldException("host", $"'{Shown(host)}' is not a host. Expected a name or an address, such as smtp.example.com.");
        }
    }

    private static void Limit(string field, int? limit, int highest)
    {
        if (limit is { } value)
        {
            Range(field, value, 1, highest);
        }
    }

    private static void Secret(string field, string? value, int longest)
    {
        if (value is not null && (value.Length == 0 || value.Length > longest || value.Any(char.IsControl)))
        {
            throw new FieldException(field, $"Expected 1 to {longest} characters on one line, or null for none.");
        }
    }

    private static string Shown(string? value) => value is null ? "" : value.Length <= 100 ? value : $"{value[..100]}…";
}
