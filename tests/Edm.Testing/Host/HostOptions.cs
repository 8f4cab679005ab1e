namespace Edm.Testing.Host;

/// <summary>How a host process is started; each becomes an environment variable of the daemon.</summary>
public sealed record HostOptions
{
    /// <summary>EDM_DATA.</summary>
    public required string Data { get; init; }

    /// <summary>EDM_DATABASE: a PostgreSQL connection string; null for SQLite in the data folder.</summary>
    public string? Database { get; init; }

    /// <summary>EDM_HTTP.</summary>
    public string Http { get; init; } = "http://127.0.0.1:0";

    /// <summary>EDM_ENVIRONMENT: which overlay of hocon/.</summary>
    public string Environment { get; init; } = "test";

    /// <summary>EDM_SEEDS: comma-separated addresses of cluster nodes; null for a node alone.</summary>
    public string? Seeds { get; init; }

    /// <summary>EDM_CLUSTER_PORT.</summary>
    public int? ClusterPort { get; init; }

    /// <summary>EDM_MASTER_KEY: nodes on one database must share it.</summary>
    public string? MasterKey { get; init; }

    /// <summary>The administrator key, when another node on the same database made it; null to read it from the data folder.</summary>
    public string? AdminKey { get; init; }

    /// <summary>Anything else, such as a setting that a test overrides.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    internal Dictionary<string, string> ToEnvironment()
    {
        var all = new Dictionary<string, string>(Variables) { ["EDM_DATA"] = Data, ["EDM_HTTP"] = Http, ["EDM_ENVIRONMENT"] = Environment };
        Add("EDM_DATABASE", Database);
        Add("EDM_SEEDS", Seeds);
        Add("EDM_CLUSTER_PORT", ClusterPort?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Add("EDM_MASTER_KEY", MasterKey);
        return all;

        void Add(string name, string? value)
        {
            if (value is not null)
            {
                all[name] = value;
            }
        }
    }
}
