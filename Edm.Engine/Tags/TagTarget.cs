using System.Text.Json.Nodes;
using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Ordinals;
using Edm.Engine.Storage;

namespace Edm.Engine.Tags;

/// <summary>Which of the contacts that an import brought.</summary>
public enum ImportedContacts
{
    All,
    Created,
    Changed,
}

/// <summary>Whose tags are meant.</summary>
public abstract record TagTarget
{
    /// <summary>A list is read into memory, and looked up in one statement.</summary>
    public const int MaxContacts = 100_000;

    private TagTarget()
    {
    }

    public sealed record Filtered(ContactFilter Filter) : TagTarget;

    public sealed record Listed(IReadOnlyCollection<ContactId> Contacts) : TagTarget;

    public sealed record Imported(ImportId Import, ImportedContacts Which) : TagTarget;

    /// <summary>For the record of the operation.</summary>
    internal JsonObject Describe() => this switch
    {
        Filtered filtered => new JsonObject { ["filter"] = filtered.Filter.Text },
        Listed listed => new JsonObject { ["contactIds"] = listed.Contacts.Count },
        Imported imported => new JsonObject { ["import"] = imported.Import.Value, ["which"] = imported.Which.ToString().ToLowerInvariant() },
        _ => throw new InvalidOperationException($"{GetType().Name} has no description."),
    };
}

/// <summary>Finds the contacts of a target. In a snapshot, or under the lock of the user's book before anything is changed.</summary>
/// <param name="evaluate">Answers filters in the same way.</param>
internal sealed class TagTargets(EdmConnection connection, UserId user, Func<ContactFilter, Task<ContactSet>> evaluate)
{
    /// <returns>The contacts, and how many of a list are not there.</returns>
    public async Task<(ContactSet Contacts, int Missing)> SelectAsync(TagTarget target, CancellationToken cancellation) => target switch
    {
        TagTarget.Filtered filtered => (await evaluate(filtered.Filter), 0),
        TagTarget.Listed listed => await ListAsync(listed.Contacts, cancellation),
        TagTarget.Imported imported => await ImportAsync(imported, cancellation),
        _ => throw new InvalidOperationException($"{target.GetType().Name} can't be selected."),
    };

    private async Task<(ContactSet, int)> ListAsync(IReadOnlyCollection<ContactId> contacts, CancellationToken cancellation)
    {
        var (found, ids) = (new ContactSet(), contacts.Select(contact => contact.Value).Distinct().ToArray());
        var batch = new SqlBatch(connection);
        await batch.Read(
            $"SELECT ordinal FROM contacts WHERE user_id = @user AND id {batch.In("@ids")}", row => found.Add(row.GetInt32(0)), ("@user", user.Value), ("@ids", ids)).ExecuteAsync(cancellation);
        return (found, ids.Length - found.Count);
    }

    private async Task<(ContactSet, int)> ImportAsync(TagTarget.Imported target, CancellationToken cancellation)
    {
        var column = target.Which switch
        {
            ImportedContacts.All => "seen",
            ImportedContacts.Created => "created",
            ImportedContacts.Changed => "changed",
            _ => throw new InvalidOperationException($"An import has no contacts that are {target.Which}."),
        };
        var (found, live, exists) = (new ContactSet(), new ContactSet(), false);
        await new SqlBatch(connection)
            .Read("SELECT 1 FROM imports WHERE id = @import AND user_id = @user", _ => exists = true, ("@import", target.Import.Value), ("@user", user.Value))
            .Read(
                $"SELECT chunk, {column} FROM import_contacts WHERE import_id = @import AND {column} IS NOT NULL",
                row => found.SetBits(row.GetInt32(0), ContactChunk.FromBytes((byte[])row.GetValue(1))),
                ("@import", target.Import.Value))
            .Read(
                "SELECT chunk, live FROM contact_chunks WHERE user_id = @user",
                row => live.SetBits(row.GetInt32(0), ContactChunk.FromBytes((byte[])row.GetValue(1))),
                ("@user", user.Value))
            .ExecuteAsync(cancellation);
        if (!exists)
        {
            throw new FieldException("importId", $"There is no import {target.Import}.");
        }

        found.IntersectWith(live);
        return (found, 0);
    }
}
