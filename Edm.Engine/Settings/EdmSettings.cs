using Akka.Configuration;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Storage;
using Edm.Engine.Tags;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Settings;

public enum EdmEnvironment
{
    Development,
    Production,
    Test,
}

/// <summary>Everything under <c>edm { }</c>, checked. Meanings and defaults stand in hocon/edm.conf; property names are its keys.</summary>
/// <param name="Authorities">Trusted by mail connections beside those of the system; null: none.</param>
/// <param name="MasterKey">Base64 as configured, null to use the data folder's own key file.</param>
public sealed record EdmSettings(
    EdmEnvironment Environment,
    string DataFolder,
    LogLevel LogLevel,
    string? MasterKey,
    HttpSettings Http,
    StorageSettings Storage,
    JournalSettings Journal,
    ClusterSettings Cluster,
    SmtpTimeouts Smtp,
    TrustedAuthorities? Authorities,
    SendingSettings Sending,
    FilterSettings Filters,
    TagHistoryRules Tags,
    LifecycleSettings Lifecycle)
{
    /// <summary>Kestrel refuses nothing up to here by itself; the true bound is the disk that an import fills.</summary>
    private const long LargestImport = 1L << 40;

    // A record prints its members; two of these are secrets.
    public override string ToString() => $"EDM ({Environment}, data in {DataFolder})";

    /// <exception cref="SettingsException">A value can't be used, or a key under <c>edm</c> is not known.</exception>
    public static EdmSettings Read(Config config)
    {
        var reader = new SettingsReader(config);
        var folder = Path.GetFullPath(reader.Text("edm.data"));
        var settings = new EdmSettings(
            reader.Choice("edm.environment", ("development", EdmEnvironment.Development), ("production", EdmEnvironment.Production), ("test", EdmEnvironment.Test)),
            folder,
            reader.Choice(
                "edm.log-level",
                ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            reader.TextOrNull("edm.master-key"),
            ReadHttp(reader),
            new StorageSettings(reader.TextOrNull("edm.storage.connection-string"), folder),
            ReadJournal(reader),
            ReadCluster(reader),
            ReadSmtp(reader),
            ReadAuthorities(reader),
            ReadSending(reader),
            ReadFilters(reader),
            ReadTags(reader),
            ReadLifecycle(reader));
        reader.RefuseUnknown("edm");
        return settings;
    }

    private static HttpSettings ReadHttp(SettingsReader reader)
    {
        const string Key = "edm.http.url";
        var url = reader.Text(Key);
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme != Uri.UriSchemeHttp || parsed.PathAndQuery != "/")
        {
            throw new SettingsException($"{Key}: '{url}' is not an address to listen on. Expected http://HOST:PORT, such as http://127.0.0.1:7025.");
        }

        return new HttpSettings(
            parsed,
            reader.Size("edm.http.max-body", 1024, 1L << 30),
            reader.Size("edm.http.max-import", 1024, LargestImport),
            reader.Number("edm.http.failed-keys-per-minute", 1, 100_000),
            reader.Duration("edm.http.ask-timeout", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5)));
    }

    private static JournalSettings ReadJournal(SettingsReader reader)
    {
        var every = reader.Duration("edm.journal.trim-every", TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
        var batch = reader.Number("edm.journal.trim-batch", 1, 10_000);
        return new JournalSettings(reader.Flag("edm.journal.trim") ? every : null, batch);
    }

    private static ClusterSettings ReadCluster(SettingsReader reader)
    {
        const string Key = "edm.cluster.seeds";
        var seeds = reader.Text(Key).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return new ClusterSettings(reader.Text("edm.cluster.host"), reader.Number("edm.cluster.port", 0, 65535), [.. seeds.Select(Seed)]);

        static SeedNode Seed(string text)
        {
            var colon = text.LastIndexOf(':');
            return colon > 0 && ushort.TryParse(text.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture, out var port) && port > 0
                ? new SeedNode(text[..colon], port)
                : throw new SettingsException($"{Key}: '{text}' is not a node. Expected HOST:PORT, such as edm-1:7026; several separated by commas.");
        }
    }

    private static SmtpTimeouts ReadSmtp(SettingsReader reader) => new()
    {
        Connect = reader.Duration("edm.smtp.connect", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)),
        Command = reader.Duration("edm.smtp.command", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
        Data = reader.Duration("edm.smtp.data", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30)),
    };

    private static TrustedAuthorities? ReadAuthorities(SettingsReader reader)
    {
        const string Key = "edm.smtp.ca-file";
        var path = reader.TextOrNull(Key);
        try
        {
            return path is null ? null : TrustedAuthorities.Read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new SettingsException($"{Key}: '{path}' can't be used: {exception.Message}", exception);
        }
    }

    private static SendingSettings ReadSending(SettingsReader reader)
    {
        var (shortest, longest) = (TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        var first = reader.Duration("edm.sending.first-delay", shortest, longest);
        var max = reader.Duration("edm.sending.max-delay", shortest, longest);
        if (max < first)
        {
            throw new SettingsException("edm.sending.max-delay: must not be shorter than edm.sending.first-delay.");
        }

        var rules = new RetryRules(
            reader.Number("edm.sending.max-attempts", 1, 1000), (int)first.TotalSeconds, (int)max.TotalSeconds,
            (int)reader.Duration("edm.sending.max-age", shortest, longest).TotalSeconds);
        return new SendingSettings(rules, reader.Choice("edm.sending.unknown", ("hold", UnknownPolicy.Hold), ("resend", UnknownPolicy.Resend)));
    }

    private static FilterSettings ReadFilters(SettingsReader reader) => new(
        reader.Size("edm.filters.column-memory", 1L << 20, 1L << 40),
        new ScanLimits(
            reader.Number("edm.filters.scan-contacts", 1, 100_000_000),
            reader.Duration("edm.filters.scan-time", TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5))));

    private static TagHistoryRules ReadTags(SettingsReader reader) => new(
        reader.Duration("edm.tags.undo-for", TimeSpan.FromMinutes(1), TimeSpan.FromDays(3650)),
        reader.Number("edm.tags.undo-operations", 1, 1_000_000),
        reader.Number("edm.tags.keep-operations", 1, 10_000_000));

    private static LifecycleSettings ReadLifecycle(SettingsReader reader)
    {
        var shutdown = reader.Duration("edm.lifecycle.shutdown", TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(10));
        var drain = reader.Duration("edm.lifecycle.drain", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        return drain < shutdown
            ? new LifecycleSettings(drain, shutdown)
            : throw new SettingsException("edm.lifecycle.drain: must be shorter than edm.lifecycle.shutdown, or the drain is cut off.");
    }
}

/// <param name="MaxBody">Bytes.</param>
/// <param name="MaxImport">Bytes.</param>
public sealed record HttpSettings(Uri Url, long MaxBody, long MaxImport, int FailedKeysPerMinute, TimeSpan AskTimeout);

/// <param name="TrimEvery">Null: the journal is never trimmed.</param>
/// <param name="TrimBatch">Events in one transaction.</param>
public sealed record JournalSettings(TimeSpan? TrimEvery, int TrimBatch);

/// <param name="Seeds">Empty: this node starts a cluster of its own.</param>
public sealed record ClusterSettings(string Host, int Port, IReadOnlyList<SeedNode> Seeds);

public sealed record SeedNode(string Host, int Port);

/// <summary>The rules that a task gets when it is launched.</summary>
public sealed record SendingSettings(RetryRules Retry, UnknownPolicy Unknown)
{
    public static readonly SendingSettings Default = new(RetryRules.Default, UnknownPolicy.Hold);
}

public sealed record LifecycleSettings(TimeSpan Drain, TimeSpan Shutdown);
