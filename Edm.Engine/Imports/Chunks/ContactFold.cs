namespace Edm.Engine.Imports.Chunks;

/// <summary>What a row makes of what was there: of a contact, or of an earlier row with the same address. Pure.</summary>
internal sealed class ContactFold(ConflictPolicy policy)
{
    public ContactAttributes Attributes { get; } = new();

    /// <summary>A later row of the same file. Only <see cref="ConflictPolicy.Replace"/> forgets the earlier one; the others say what is to become of contacts, and not of rows.</summary>
    public StagedContact Rows(StagedContact earlier, StagedContact later) =>
        (policy == ConflictPolicy.Replace ? later : Merged(earlier, later)) with
        {
            Nr = earlier.Nr, Email = later.Email, Tags = Union(earlier.Tags, later.Tags),
            // Who may not be mailed by one row may not be by another one.
            Status = earlier.Status == StagedContact.ActiveStatus ? later.Status : earlier.Status,
        };

    /// <summary>A contact that was there before the file. The address stays as it is written, unless all is replaced.</summary>
    public StagedContact Onto(StagedContact stored, StagedContact row) => policy == ConflictPolicy.Replace ? row : Merged(stored, row);

    public bool Same(StagedContact left, StagedContact right) =>
        left.Email == right.Email && left.Handle == right.Handle && left.Nickname == right.Nickname && left.Followers == right.Followers && left.Country == right.Country
        && left.Language == right.Language && left.Category == right.Category && left.Bio == right.Bio && Attributes.Same(left.Attributes, right.Attributes);

    private StagedContact Merged(StagedContact old, StagedContact row) => old with
    {
        Handle = row.Handle ?? old.Handle,
        Nickname = row.Nickname ?? old.Nickname,
        Followers = row.Followers ?? old.Followers,
        Country = row.Country ?? old.Country,
        Language = row.Language ?? old.Language,
        Category = row.Category ?? old.Category,
        Bio = row.Bio ?? old.Bio,
        Attributes = Attributes.Merge(old.Attributes, row.Attributes),
    };

    private static IReadOnlyList<string> Union(IReadOnlyList<string> left, IReadOnlyList<string> right) =>
        right.Count == 0 ? left : left.Count == 0 ? right : [.. left.Union(right, StringComparer.OrdinalIgnoreCase)];
}
