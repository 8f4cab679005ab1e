using Akka.Persistence.Journal;
using Edm.Contracts;

namespace Edm.Engine.Queues;

/// <summary>Tags what the deliveries projection reads. Leases are left out: they are half of all events, and no row follows from them, nor from what is done with the archive.</summary>
public sealed class UserQueueTagger : IWriteEventAdapter
{
    public const string Tag = "user-queue";

    public string Manifest(object evt) => "";

    public object ToJournal(object evt) => evt is QueueOpened or BatchLeased or LeaseReturned or TaskArchived or TaskRestored or ArchiveForgotten ? evt : new Tagged(evt, [Tag]);
}
