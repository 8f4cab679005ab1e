using System.Data;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters.Columns;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Contacts.Filters;

/// <summary>What one question may cost that has to read contacts one by one, such as <c>bio contains cat</c>.</summary>
/// <param name="Contacts">How many it may read.</param>
/// <param name="Time">How long it may take.</param>
public sealed record ScanLimits(int Contacts, TimeSpan Time)
{
    public static readonly ScanLimits Default = new(1_000_000, TimeSpan.FromSeconds(10));
}

/// <param name="ColumnMemory">Bytes that columns of contacts may take in memory.</param>
public sealed record FilterSettings(long ColumnMemory, ScanLimits Scan);

/// <summary>Which contacts of a user pass a filter, exactly, as a set.</summary>
public sealed class ContactSelection(ContactColumns columns, ScanLimits limits, TimeProvider time)
{
    /// <summary>Evaluates in a snapshot: a transaction begun by <see cref="EdmConnection.BeginReadAsync"/>, which may be used before and after for what belongs to the answer.</summary>
    /// <exception cref="ContactFilterException">A name is not known, or the filter would read more than <see cref="ScanLimits"/> allow.</exception>
    public async Task<ContactSet> EvaluateAsync(EdmConnection connection, UserId user, ContactFilter filter, CancellationToken cancellation)
    {
        var run = await OpenAsync(connection, user, cancellation);
        return await run.EvaluateAsync(await BindAsync(connection, user, filter, cancellation), cancellation);
    }

    /// <summary>
    /// Evaluates in a write transaction, under the lock of the user's book: what is answered stays true until the commit. Before anything is changed: the book's
    /// versions say nothing of what this transaction has written.
    /// </summary>
    /// <exception cref="InvalidOperationException">Contacts were changed already.</exception>
    /// <exception cref="ContactFilterException">As the other one.</exception>
    internal async Task<ContactSet> EvaluateAsync(ContactBook book, ContactFilter filter, CancellationToken cancellation)
    {
        if (book.HasChanges)
        {
            throw new InvalidOperationException("A filter is evaluated before the transaction changes contacts.");
        }

        var run = await SelectionRun.OpenAsync(book.Connection, book.User, columns, limits, time, cancellation);
        return await run.EvaluateAsync(await BindAsync(book.Connection, book.User, filter, cancellation), cancellation);
    }

    internal Task<ContactFilter> BindAsync(EdmConnection connection, UserId user, ContactFilter filter, CancellationToken cancellation) =>
        filter.BindAsync(connection, user, time.GetUtcNow(), cancellation);

    /// <summary>For several questions to one snapshot.</summary>
    internal Task<SelectionRun> OpenAsync(EdmConnection connection, UserId user, CancellationToken cancellation)
    {
        if (connection.Transaction is null || (connection.IsPostgres && connection.Transaction.IsolationLevel != IsolationLevel.RepeatableRead))
        {
            throw new InvalidOperationException("A filter is evaluated in a snapshot, or under the lock of the user's book.");
        }

        return SelectionRun.OpenAsync(connection, user, columns, limits, time, cancellation);
    }
}
