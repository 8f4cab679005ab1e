using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;
using LinqToDB.Data;

namespace Edm.Engine.Imports.Chunks;

/// <summary>
/// Stores chunks, each in one transaction under the lock of the user's contacts: contacts, their history and tags, refused rows, and how far the import is.
/// After an exception it is not used again: what it remembers may be ahead of what is stored.
/// </summary>
internal sealed class ChunkWriter(IImportSession session, Import import, ImportedContacts imported, SuppressionStore suppressions, TimeProvider time) : IDisposable
{
    private readonly ImportOptions _options = import.Options;
    private readonly ChunkPlanner _planner = new(import.Options, imported);
    private readonly ImportTags _tags = new(import, time);
    private readonly KnownAddresses _known = new(import.TotalRows ?? 0);
    private readonly TagRoom _room = new(import);
    private readonly ImaginedContacts _imagined = new(session);
    private readonly StoredRows _stored = new();
    private long _rows = import.Rows;

    public ImportCounts Counts { get; private set; } = new(import.Created, import.Updated, import.Unchanged, import.Rejected, import.Suppressed);

    private UserId User => import.User;

    public void Dispose() => _stored.Dispose();

    /// <param name="cancellation">
    /// Looked at between statements. None is broken off: each is short, and a COPY that was broken off in the middle of a message has client and server wait for each other.
    /// </param>
    public async Task WriteAsync(ImportChunk chunk, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Counts = await session.WriteAsync(connection => WriteAsync(connection, chunk, cancellation), CancellationToken.None);
        _rows = chunk.LastNr;
    }

    private async Task<ImportCounts> WriteAsync(EdmConnection connection, ImportChunk chunk, CancellationToken cancellation)
    {
        var book = _options.DryRun ? null : await ContactBook.OpenAsync(connection, User, CancellationToken.None);
        var rows = chunk.Rows;
        _stored.Clear();
        await session.FindAsync(
            User, (book is null ? rows.Firsts() : await _known.PossibleAsync(connection, User, rows, CancellationToken.None)).Select(rows.KeyOf), _stored, CancellationToken.None);
        var suppressed = await suppressions.FindAsync(connection, User, rows.Firsts().Where(IsNew).Select(rows.KeyOf), CancellationToken.None);
        bool IsNew(int row) => _stored.Find(rows, row) < 0;
        bool IsSuppressed(int row) => suppressed.Count > 0 && suppressed.ContainsKey(rows.KeyOf(row));
        chunk = await _room.RefuseAsync(
            connection, chunk, row => _stored.Find(rows, row) is >= 0 and var contact ? _planner.GivesTags(_stored.OrdinalOf(contact)) : !IsSuppressed(row), CancellationToken.None);
        var isFirst = book is null
            ? await _imagined.AddAsync(rows.Firsts().Where(row => IsNew(row) && !IsSuppressed(row)).Select(rows.KeyOf), CancellationToken.None)
            : null;
        var plan = _planner.Plan(
            chunk, _stored, suppressed.Count == 0 ? null : key => suppressed.TryGetValue(key, out var reason) ? ReasonOf(reason) : null, isFirst);
        var counts = Counts + plan.Counts;
        if (counts.Rejected > _options.MaxErrors)
        {
            throw new TooManyErrorsException(_options.MaxErrors.Value, _rows);
        }

        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (book is null)
        {
            Remember(plan, first: 0, []);
        }
        else
        {
            counts += await WriteContactsAsync(connection, book, chunk.Rows, plan, now, cancellation);
        }

        var kept = Counts.Rejected + Counts.Suppressed;
        var room = (int)Math.Clamp(ImportStore.MaxErrors - kept, 0, plan.Refused.Count);
        if (room > 0)
        {
            var refused = await ErasedRows.WithoutAsync(connection, User, plan.Refused.GetRange(0, room), suppressions, CancellationToken.None);
            await session.AddErrorsAsync(refused, kept + 1, CancellationToken.None);
        }

        cancellation.ThrowIfCancellationRequested();
        await ImportStore.ProgressAsync(connection, import.Id, chunk, counts, now, CancellationToken.None);
        if (book is not null)
        {
            await book.CloseAsync(CancellationToken.None);
            await _known.AddAsync(connection, User, chunk.Rows, CancellationToken.None);
        }

        return counts;
    }

    /// <returns>What has to be counted otherwise.</returns>
    private async Task<ImportCounts> WriteContactsAsync(EdmConnection connection, ContactBook book, StagedRows rows, ChunkPlan plan, long now, CancellationToken cancellation)
    {
        var first = book.Take(plan.New.Count);
        if (plan.New.Count > 0)
        {
            await session.InsertAsync(User, rows, plan.New, first, now, CancellationToken.None);
        }

        cancellation.ThrowIfCancellationRequested();
        List<ContactUpdate> takenBack = [];
        if (plan.Updates.Count > 0)
        {
            await session.UpdateAsync(plan.Updates, now, CancellationToken.None);
            plan.Updates.ForEach(update => book.Touch(update.Stored.Ordinal));
            takenBack = await WriteHistoryAsync(connection, plan, now);
        }

        cancellation.ThrowIfCancellationRequested();
        Remember(plan, first, takenBack);
        var seen = plan.Seen(first);
        await imported.SaveAsync(connection, import.Id, seen.Chunks, CancellationToken.None);
        var changed = ContactSet.Of(plan.Updates.Where(update => !update.Own).Select(update => update.Stored.Ordinal));
        changed.ExceptWith(ContactSet.Of(takenBack.Select(update => update.Stored.Ordinal)));
        await _tags.WriteAsync(connection, book, rows, plan, first, changed, CancellationToken.None);
        return new ImportCounts { Updated = -takenBack.Count, Unchanged = takenBack.Count };
    }

    /// <returns>The contacts that this chunk has made again what they were before the import.</returns>
    private async Task<List<ContactUpdate>> WriteHistoryAsync(EdmConnection connection, ChunkPlan plan, long now)
    {
        var history = new ContactHistory(_planner.Fold.Attributes);
        var lines = new List<HistoryLine>(plan.Updates.Count);
        var takenBack = new List<ContactUpdate>();
        foreach (var update in plan.Updates.Where(update => !update.Own))
        {
            var changes = history.Of(update.Stored.Fields, update.Fields);
            var before = update.Again ? await TakeHistoryAsync(connection, update.Stored.Id) : null;
            var whole = before is null ? changes : ContactHistory.Joined(before, changes);
            if (whole is null)
            {
                takenBack.Add(update);
            }
            else
            {
                lines.Add(new HistoryLine(update.Stored.Id, whole));
            }
        }

        if (lines.Count > 0)
        {
            await session.AddHistoryAsync(User, lines, now, CancellationToken.None);
        }

        return takenBack;
    }

    /// <summary>Few: contacts whose address stands in several chunks of one file, each time with something else.</summary>
    private async Task<string?> TakeHistoryAsync(EdmConnection connection, ContactId contact) =>
        (await connection.QueryToListAsync<string>(
            $"DELETE FROM contact_changes WHERE user_id = @user AND contact_id = @contact AND kind = 'changed' AND source = 'import' AND reference = @import RETURNING {(connection.IsPostgres ? "changes::text" : "changes")}",
            CancellationToken.None,
            new DataParameter("user", User.Value), new DataParameter("contact", contact.Value), new DataParameter("import", import.Id.ToString()))).FirstOrDefault();

    private void Remember(ChunkPlan plan, int first, List<ContactUpdate> takenBack)
    {
        if (!_options.DryRun)
        {
            imported.Created.AddRange(first, plan.New.Count);
            imported.Seen.AddRange(first, plan.New.Count);
        }

        plan.Met.ForEach(met => imported.Seen.Add(met.Ordinal));
        foreach (var update in plan.Updates.Where(update => !update.Own))
        {
            imported.Changed.Add(update.Stored.Ordinal);
        }

        takenBack.ForEach(update => imported.Changed.Remove(update.Stored.Ordinal));
    }

    private static string ReasonOf(SuppressionReason reason) => reason switch
    {
        SuppressionReason.Unsubscribed => "this person unsubscribed and is not brought back",
        SuppressionReason.Suppressed => "this address was suppressed and is not brought back",
        SuppressionReason.Erased => "this person was erased and is not brought back",
        _ => throw new InvalidOperationException($"{reason} is not a reason."),
    };
}
