namespace Edm.Contracts.Http;

/// <summary>The nodes that share the work.</summary>
public sealed record ClusterView(IReadOnlyList<NodeView> Nodes);

/// <param name="Status">joining, up, leaving, exiting, down or removed; unreachable when the others can't reach it.</param>
/// <param name="Entities">User queues and lanes together.</param>
/// <param name="Self">The node that answers.</param>
public sealed record NodeView(string Address, string Status, int Entities, int UserQueues, int Lanes, bool Self);
