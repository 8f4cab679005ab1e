namespace Edm.Testing.Host;

// What tests read of the API's answers. On purpose not the API's own types: a renamed field must break a test.

public sealed record ImportView(long Id, string State, long Rows, long Created, long Updated, long Unchanged, long Rejected);

public sealed record TaskView(long Id, string State, int Planned, IReadOnlyDictionary<string, int> Counts, double? RatePerSecond, string? Why)
{
    public int Sum => Counts.Values.Sum();

    public int Of(string state) => Counts.GetValueOrDefault(state);

    public override string ToString() => $"{State}, {Planned} planned: {string.Join(", ", Counts.Where(c => c.Value > 0).Select(c => $"{c.Value} {c.Key}"))}{(Why is null ? "" : $" ({Why})")}";
}

public sealed record RecipientView(int Seq, string State, string Email, int Attempts, long? ServiceId, int? ReplyCode, string? Reply, string? Reason);

public sealed record RecipientPage(IReadOnlyList<RecipientView> Items, long? Next);

public sealed record IdView(long Id);

public sealed record KeyMadeView(string Key);

public sealed record FrozenView(long TaskId, int Planned);

public sealed record ClusterView(IReadOnlyList<NodeView> Nodes);

public sealed record NodeView(string Address, string Status, int Entities);
