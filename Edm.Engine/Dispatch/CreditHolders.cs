using System.Numerics;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Dispatch;

/// <summary>A service as the table of credits knows it.</summary>
internal sealed class CreditHolder(ServiceId id, Standing standing)
{
    public ServiceId Id { get; } = id;

    public Standing Standing { get; private set; } = standing;

    public int Credits { get; set; }

    /// <summary>It has taken its credits back and granted none since: what its standing says of the future is void.</summary>
    public bool IsRevoked { get; set; }

    /// <summary>In <see cref="CreditHolders"/>; -1: not there.</summary>
    public int Place { get; set; } = -1;

    /// <summary>When a mail was last bound to it.</summary>
    public long LastMs { get; set; }

    public int[] Room { get; } = new int[MailboxProviders.Count];

    /// <summary>When a mail to this provider may be bound to it; 0: it only lacks a credit that may come at any moment.</summary>
    public long NextFor(MailboxProvider provider) => Math.Max(Standing.NextMs, Room[(int)provider] > 0 ? 0 : Standing.Providers[(int)provider].NextMs);

    public void Learn(Standing now)
    {
        (Standing, IsRevoked) = (now, false);
        for (var i = 0; i < Room.Length; i++)
        {
            Room[i] = now.Providers[i].Room;
        }
    }
}

/// <summary>
/// The services that hold credit, in no order. All of them are looked at for each mail, since time changes their scores: so what that needs lies in columns, of which a
/// thousand are read in a few µs (as objects, with their scores computed in full, it was 40).
/// </summary>
internal sealed class CreditHolders
{
    /// <summary>In <see cref="standings"/>: it may not send to the provider now.</summary>
    private const double NoRoom = -1;

    /// <summary>By provider, then by place: <see cref="ServiceScore.Standing"/>.</summary>
    private readonly double[][] standings = [.. Enumerable.Range(0, MailboxProviders.Count).Select(_ => new double[16])];
    private CreditHolder[] holders = new CreditHolder[16];
    private double[] paces = new double[16];

    /// <summary>ms, as what is reckoned with them is.</summary>
    private double[] lasts = new double[16];
    private int count;

    /// <summary>Each holder is to be updated after they have changed.</summary>
    public SelectionWeights Weights { get; set; } = new();

    /// <summary>It is to be updated next.</summary>
    public void Add(CreditHolder holder)
    {
        if (count == holders.Length)
        {
            Array.Resize(ref holders, 2 * count);
            Array.Resize(ref paces, 2 * count);
            Array.Resize(ref lasts, 2 * count);
            for (var i = 0; i < standings.Length; i++)
            {
                Array.Resize(ref standings[i], 2 * count);
            }
        }

        holder.Place = count;
        holders[count++] = holder;
    }

    public void Remove(CreditHolder holder)
    {
        // The last one takes its place.
        var last = holders[--count];
        (last.Place, holder.Place) = (holder.Place, -1);
        holders[count] = null!;
        if (last != holder)
        {
            holders[last.Place] = last;
            Update(last);
        }
    }

    /// <summary>After anything of it has changed but its credits. Nothing where it holds none.</summary>
    public void Update(CreditHolder holder)
    {
        if (holder.Place < 0)
        {
            return;
        }

        var standing = holder.Standing;
        paces[holder.Place] = standing.PaceMs;
        lasts[holder.Place] = holder.LastMs;
        for (var provider = 0; provider < standings.Length; provider++)
        {
            standings[provider][holder.Place] =
                holder.Room[provider] > 0 ? ServiceScore.Standing(Weights, standing.QuotaShare, standing.Success, standing.Providers[provider].Fit) : NoRoom;
        }
    }

    public bool HasRoom(MailboxProvider provider) => standings[(int)provider].AsSpan(0, count).ContainsAnyExcept(NoRoom);

    /// <param name="spared">Not these services.</param>
    /// <returns>The two with the highest scores that have room for the provider, among equals the one with most credits first; null where none has.</returns>
    public (CreditHolder Best, double BestScore, CreditHolder? Second, double SecondScore)? Best(MailboxProvider provider, long nowMs, ReadOnlySpan<ServiceId> spared)
    {
        var (timeShare, column) = (ServiceScore.TimeShare(Weights), standings[(int)provider]);
        var (best, bestScore, second, secondScore) = (-1, double.NegativeInfinity, -1, double.NegativeInfinity);
        for (var place = 0; place < count;)
        {
            // Most are not among the two best, which a few at once can be told by one comparison.
            if (place + Vector<double>.Count <= count && Vector.LessThanAll(Scores(column, place, timeShare, nowMs), new Vector<double>(secondScore)))
            {
                place += Vector<double>.Count;
                continue;
            }

            for (var end = Math.Min(place + Vector<double>.Count, count); place < end; place++)
            {
                if (column[place] == NoRoom || (!spared.IsEmpty && spared.Contains(holders[place].Id)))
                {
                    continue;
                }

                var score = column[place] + (timeShare * ServiceScore.Idle(nowMs - (long)lasts[place], paces[place]));
                if (score > bestScore || (score == bestScore && holders[place].Credits > holders[best].Credits))
                {
                    (second, secondScore) = (best, bestScore);
                    (best, bestScore) = (place, score);
                }
                else if (score > secondScore)
                {
                    (second, secondScore) = (place, score);
                }
            }
        }

        return best < 0 ? null : (holders[best], bestScore, second < 0 ? null : holders[second], secondScore);
    }

    /// <summary>As <see cref="ServiceScore.Idle"/> counts; below 0 where there is no room.</summary>
    private Vector<double> Scores(double[] column, int place, double timeShare, long nowMs)
    {
        var since = Vector.Max(new Vector<double>(nowMs) - new Vector<double>(lasts, place), Vector<double>.Zero);
        return new Vector<double>(column, place) + (timeShare * (since / (since + new Vector<double>(paces, place))));
    }
}
