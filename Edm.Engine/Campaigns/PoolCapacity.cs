using System.Globalization;
using Edm.Engine.Dispatch;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Campaigns;

/// <summary>When the enabled services of a pool can be done with the rest of a task, by their limits and as far as these are the user's own to know.</summary>
/// <param name="Services">Enabled ones.</param>
/// <param name="Kinds">Those of them that work, by what they may send; null: they are somebody else's.</param>
public sealed record PoolCapacity(int Services, IReadOnlyList<ServiceCapacity>? Kinds)
{
    /// <summary>Most tasks need no more than the first; each looks at all kinds for so many days.</summary>
    private static readonly int[] Horizons = [8, 64, 366];

    /// <summary>Enabled services that don't work at present.</summary>
    public int Broken { get; init; }

    public OtherWork Others { get; init; } = OtherWork.None;

    /// <summary>The part of the task's open recipients, 0..1, that has a mailbox at a provider for which some service has a cap.</summary>
    public IReadOnlyDictionary<MailboxProvider, double> Shares { get; init; } = new Dictionary<MailboxProvider, double>();

    /// <summary>
    /// In one sentence when the rest can be done, and when with twice as many services. Moments are full hours, so that the same state has the same words: it holds while the
    /// services send what they may, and moves on by an hour at most once an hour while they don't.
    /// </summary>
    /// <param name="open">Recipients that can still get a mail.</param>
    public string Sentence(int open, DateTimeOffset now)
    {
        if (open == 0)
        {
            return "Nobody waits for a mail.";
        }

        var left = open == 1 ? "1 recipient is left" : Text($"{open:N0} recipients are left");
        if (Services == 0)
        {
            return Text($"{left}; the pool has no enabled service, so nobody can say how long it takes.");
        }

        var who = Services == 1 ? "one service" : Text($"{Services:N0} services");
        if (Kinds is null)
        {
            return Text($"{left}; what the pool's {who} may send is their owner's to know.");
        }

        if (Broken == Services)
        {
            return Text($"{left}; of the pool's {who} none works at present, so nobody can say how long it takes.");
        }

        var alone = DoneAt(open, now, 1);
        if (alone == now)
        {
            return Text($"{left}; the limits of the pool's {who} let all of them go at once.");
        }

        // Not how many: they may be another user's.
        var others = Others.Meanwhile(open) > 0 ? ", and other tasks on the pool take their turns" : "";
        var broken = Broken == 0 ? "" : Text($", {Broken:N0} of which {(Broken == 1 ? "does" : "do")} not work at present,");
        return Text(
            $"{left}{others}; by quotas, caps, windows, warm-up and health of the pool's {who}{broken} finished {By(alone, now)}, with {2 * (Services - Broken):N0} of this kind {By(DoneAt(open, now, 2), now)}.");
    }

    /// <returns>The first full hour at which they can have sent so many mails; now, when no limit keeps them; null for not within a year.</returns>
    private DateTimeOffset? DoneAt(int open, DateTimeOffset now, int times)
    {
        var mails = open + Others.Meanwhile(open);
        var hour = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        foreach (var days in Horizons)
        {
            var to = now.AddDays(days);
            var stretches = Kinds!.SelectMany(kind => kind.Stretches(now, to)).ToList();

            // The caps are held against the task's own mails only: whose mailboxes the others are for nobody has looked at.
            var capped = Shares.Select(share => (Mails: share.Value * open, Stretches: Kinds!.SelectMany(kind => kind.Stretches(now, to, share.Key)).ToList())).ToList();
            if (IsDoneBy(now))
            {
                return now;
            }

            var (tooEarly, enough) = (0, (days * 24) + 1);
            if (!IsDoneBy(hour.AddHours(enough)))
            {
                continue;
            }

            while (enough - tooEarly > 1)
            {
                var middle = (tooEarly + enough) / 2;
                (tooEarly, enough) = IsDoneBy(hour.AddHours(middle)) ? (tooEarly, middle) : (middle, enough);
            }

            return hour.AddHours(enough);

            // The sum of many parts of an hour may come out a hair too small.
            bool IsDoneBy(DateTimeOffset at) => Suffices(stretches, mails, at) && capped.TrueForAll(provider => Suffices(provider.Stretches, provider.Mails, at));

            bool Suffices(List<Stretch> some, double wanted, DateTimeOffset at) => (some.Sum(stretch => stretch.SentBy(at)) * times) + 1e-6 >= wanted;
        }

        return null;
    }

    private static string By(DateTimeOffset? done, DateTimeOffset now) =>
        done is not { } at ? "not within a year" : at == now ? "at once" : $"by {UtcClock.Text(at)} at the earliest";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
