namespace Edm.Engine.Dispatch;

/// <summary>
/// The connections of one service. A change of the service takes effect at once where a slot is free, and when its mail has ended where it is busy.
/// Used by its ServiceSink only.
/// </summary>
internal sealed class Slots
{
    private readonly List<Slot> slots = [];

    /// <summary>How many there are to be; above it are only busy ones that go when their mail has ended.</summary>
    private int wanted;

    public int Count => slots.Count;

    public int Free => slots.Count(s => s.IsFree);

    public bool AllFree => slots.TrueForAll(s => s.IsFree);

    public Slot? FindFree() => slots.Find(s => s.IsFree);

    public Slot? BusyWith(MailKey key) => slots.Find(s => s.IsBusyWith(key));

    public void Resize(int connections)
    {
        wanted = Math.Max(connections, 1);
        while (slots.Count < wanted)
        {
            slots.Add(new Slot());
        }

        foreach (var slot in slots.Where(s => s.IsFree).Take(slots.Count - wanted).ToArray())
        {
            slots.Remove(slot);
            Close(slot);
        }
    }

    /// <summary>The service was changed: its present connections serve no further mail.</summary>
    public void Renew()
    {
        foreach (var slot in slots)
        {
            slot.IsStale = true;
            if (slot.IsFree)
            {
                Close(slot);
            }
        }
    }

    public void Release(Slot slot, long nowMs)
    {
        slot.Free(nowMs);
        if (slot.IsStale)
        {
            Close(slot);
        }

        if (slots.Count > wanted)
        {
            slots.Remove(slot);
            Close(slot);
        }
    }

    public void CloseIdle(long idleSinceMs)
    {
        foreach (var slot in slots.Where(s => s.IsFree && s.Connection is not null && s.LastUsedMs < idleSinceMs))
        {
            Close(slot);
        }
    }

    /// <summary>For the end: a connection with a mail on the wire is closed by whoever waits for its answer.</summary>
    public void CloseAllButSending()
    {
        foreach (var slot in slots.Where(s => !s.IsSending))
        {
            Close(slot);
        }
    }

    private static void Close(Slot slot)
    {
        var connection = slot.Connection;
        (slot.Connection, slot.IsStale, slot.Mails) = (null, false, 0);
        if (connection is not null)
        {
            // QUIT and close on their own time; nobody waits for it, and it never throws.
            _ = connection.DisposeAsync().AsTask();
        }
    }
}
