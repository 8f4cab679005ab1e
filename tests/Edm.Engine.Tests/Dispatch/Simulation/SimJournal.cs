using Edm.Contracts;
using Edm.Engine.Tests.Contracts;

namespace Edm.Engine.Tests.Dispatch.Simulation;

/// <summary>The journal of one entity. It survives every crash, and refuses a writer that does not know its end: two writers can't both have the next place.</summary>
/// <param name="durable">Is told each event that becomes durable.</param>
internal sealed class SimJournal<TEvent, TSnapshot>(Action<TEvent> durable)
    where TEvent : class, IEdmMessage
    where TSnapshot : class, IEdmMessage
{
    private readonly List<TEvent> events = [];
    private (TSnapshot Snapshot, int Length)? saved;

    public int Length => events.Count;

    public TSnapshot? Snapshot => saved is { } s ? SharedSerializer.Copy(s.Snapshot) : null;

    public IEnumerable<TEvent> AfterSnapshot => events.Skip(saved?.Length ?? 0);

    public void Save(TSnapshot snapshot, int length) => saved = (SharedSerializer.Copy(snapshot), length);

    public bool TryAppend(int after, IReadOnlyList<TEvent> more)
    {
        if (after != events.Count)
        {
            return false;
        }

        foreach (var happened in more.Select(SharedSerializer.Copy))
        {
            events.Add(happened);
            durable(happened);
        }

        return true;
    }
}

/// <summary>One write under way: first it becomes durable, then its writer hears of it, and a crash can fall between.</summary>
internal sealed class SimWrite(Func<bool> append, Action hear)
{
    public bool IsDurable { get; private set; }

    /// <summary>False: somebody else has written since, and this writer is none any more.</summary>
    public bool TryAppend() => IsDurable = append();

    public void Hear() => hear();
}
