using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>
/// The state of every recipient of one task, by seq from 1 to <see cref="Planned"/>. A recipient is in exactly one state because it has exactly one
/// cell, so the counts always sum to what was planned. Four bits a recipient, and chunks in which all have the same state take none:
/// a million recipients need at most 0.5 MB.
/// </summary>
public sealed class RecipientLedger
{
    private const int ChunkSize = 4096;

    private readonly Chunk[] chunks;
    private readonly int[] counts = new int[RecipientStates.Count];

    public RecipientLedger(int planned)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(planned);
        Planned = planned;
        chunks = new Chunk[(planned + ChunkSize - 1) / ChunkSize];
        for (var i = 0; i < chunks.Length; i++)
        {
            chunks[i] = new Chunk(Math.Min(ChunkSize, planned - (i * ChunkSize)));
        }

        counts[(int)RecipientState.Waiting] = planned;
    }

    public int Planned { get; }

    /// <summary>A copy, by the numbers of <see cref="RecipientState"/>.</summary>
    public int[] Counts() => [.. counts];

    public int Count(RecipientState state) => counts[(int)state];

    public bool IsSettled => AreSettled(counts);

    /// <summary>Nothing waits, is leased or is pending: no state will change by itself any more.</summary>
    /// <param name="counts">By <see cref="RecipientState"/>.</param>
    public static bool AreSettled(int[] counts) => counts[(int)RecipientState.Waiting] + counts[(int)RecipientState.Leased] + counts[(int)RecipientState.PendingRetry] == 0;

    public RecipientState this[int seq]
    {
        get
        {
            var (chunk, at) = Locate(seq);
            return chunk.Get(at);
        }

        set
        {
            var (chunk, at) = Locate(seq);
            var before = chunk.Set(at, value);
            counts[(int)before]--;
            counts[(int)value]++;
        }
    }

    public void Set(SeqRange range, RecipientState state)
    {
        for (var seq = range.First; seq <= range.Last; seq++)
        {
            this[seq] = state;
        }
    }

    /// <summary>The first seq from <paramref name="from"/> to <paramref name="last"/> that is in this state; null when none is. Whole chunks are skipped by their counts.</summary>
    public int? First(RecipientState state, int from, int last)
    {
        last = Math.Min(last, Planned);
        for (var seq = Math.Max(from, 1); seq <= last;)
        {
            var index = (seq - 1) / ChunkSize;
            var chunk = chunks[index];
            var end = Math.Min(last, (index + 1) * ChunkSize);
            if (chunk.Count(state) > 0)
            {
                for (; seq <= end; seq++)
                {
                    if (chunk.Get((seq - 1) % ChunkSize) == state)
                    {
                        return seq;
                    }
                }
            }

            seq = end + 1;
        }

        return null;
    }

    /// <summary>The run of recipients in this state that begins at <paramref name="first"/>, at most <paramref name="max"/> long.</summary>
    public SeqRange Run(RecipientState state, int first, int last, int max)
    {
        last = (int)Math.Min(Math.Min(last, Planned), (long)first + max - 1);
        var end = first;
        while (end < last && this[end + 1] == state)
        {
            end++;
        }

        return new SeqRange(first, end);
    }

    public IEnumerable<int> All(RecipientState state)
    {
        for (var seq = First(state, 1, Planned); seq is { } found; seq = First(state, found + 1, Planned))
        {
            yield return found;
        }
    }

    /// <summary>Run lengths: state number, length, state number, length, …</summary>
    public int[] ToRuns()
    {
        var runs = new List<int>();
        foreach (var chunk in chunks)
        {
            chunk.AppendTo(runs);
        }

        return [.. runs];
    }

    public static RecipientLedger FromRuns(int[] runs)
    {
        var planned = 0;
        for (var i = 1; i < runs.Length; i += 2)
        {
            planned += runs[i];
        }

        var ledger = new RecipientLedger(planned);
        var next = 1;
        for (var i = 0; i < runs.Length; i += 2)
        {
            if ((RecipientState)runs[i] != RecipientState.Waiting)
            {
                ledger.Set(new SeqRange(next, next + runs[i + 1] - 1), (RecipientState)runs[i]);
            }

            next += runs[i + 1];
        }

        return ledger;
    }

    private (Chunk Chunk, int At) Locate(int seq)
    {
        if (seq < 1 || seq > Planned)
        {
            throw new ArgumentOutOfRangeException(nameof(seq), seq, $"The task has recipients 1 to {Planned}.");
        }

        return (chunks[(seq - 1) / ChunkSize], (seq - 1) % ChunkSize);
    }

    private sealed class Chunk
    {
        private readonly short[] counts = new short[RecipientStates.Count];
        private readonly int size;

        /// <summary>Two recipients a byte; null while all are in <see cref="uniform"/>.</summary>
        private byte[]? cells;
        private RecipientState uniform = RecipientState.Waiting;

        public Chunk(int size)
        {
            this.size = size;
            counts[(int)RecipientState.Waiting] = (short)size;
        }

        public int Count(RecipientState state) => counts[(int)state];

        public RecipientState Get(int at) => cells is null ? uniform : (RecipientState)((cells[at >> 1] >> ((at & 1) << 2)) & 0xF);

        public RecipientState Set(int at, RecipientState state)
        {
            var before = Get(at);
            if (before == state)
            {
                return before;
            }

            if (cells is null)
            {
                cells = new byte[(size + 1) / 2];
                Array.Fill(cells, (byte)((byte)uniform | ((byte)uniform << 4)));
            }

            var shift = (at & 1) << 2;
            cells[at >> 1] = (byte)((cells[at >> 1] & ~(0xF << shift)) | ((byte)state << shift));
            counts[(int)before]--;
            if (++counts[(int)state] == size)
            {
                (cells, uniform) = (null, state);
            }

            return before;
        }

        public void AppendTo(List<int> runs)
        {
            if (cells is null)
            {
                Append(runs, uniform, size);
                return;
            }

            for (var at = 0; at < size; at++)
            {
                Append(runs, Get(at), 1);
            }
        }

        private static void Append(List<int> runs, RecipientState state, int length)
        {
            if (runs.Count > 0 && runs[^2] == (int)state)
            {
                runs[^1] += length;
            }
            else
            {
                runs.Add((int)state);
                runs.Add(length);
            }
        }
    }
}
