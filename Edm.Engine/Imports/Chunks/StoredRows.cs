using Edm.Contracts;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Contacts as they are stored, of which an import looks at ten thousand for a chunk, and changes few. Used again for chunk after chunk.</summary>
internal sealed class StoredRows : IDisposable
{
    private readonly List<(ContactId Id, int Ordinal)> _contacts = [];

    /// <summary>Their fields, by the same numbers.</summary>
    public StagedRows Rows { get; } = StagedRowsPool.Take();

    public void Clear()
    {
        Rows.Clear();
        _contacts.Clear();
    }

    /// <param name="fields">Its texts lie in <see cref="Rows"/>. The hash is not asked for.</param>
    public void Add(ContactId id, int ordinal, StagedRow fields)
    {
        _contacts.Add((id, ordinal));
        Rows.Add(fields with { Hash = AddressHash.Of(Rows.Text(fields.EmailKey)) });
    }

    /// <returns>The number of the contact that has the address of a row; -1 when none has.</returns>
    public int Find(StagedRows rows, int row) => Rows.Find(rows, row);

    public int OrdinalOf(int contact) => _contacts[contact].Ordinal;

    public StoredContact Contact(int contact) => new(_contacts[contact].Id, _contacts[contact].Ordinal, Rows.Contact(contact));

    public void Dispose() => StagedRowsPool.Return(Rows);
}
