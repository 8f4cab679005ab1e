using System.Text.Json;

namespace Edm.Contracts.Http;

/// <summary>A label on contacts.</summary>
/// <param name="Color"># and six hexadecimal digits, or null.</param>
/// <param name="Contacts">How many contacts have it, exactly.</param>
public sealed record TagView(TagId Id, string Name, string? Color, int Contacts, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <param name="Name">1 to 100 characters; names that differ in case only are one.</param>
/// <param name="Color"># and six hexadecimal digits.</param>
public sealed record NewTag(string Name, string? Color = null);

/// <summary>What is left out stays as it is.</summary>
public sealed record TagChange
{
    public Optional<string> Name { get; init; }
    public Optional<string> Color { get; init; }
}

/// <param name="TagIds">Whoever has one of these gets the tag instead, and these are deleted.</param>
public sealed record TagMerge(IReadOnlyList<TagId> TagIds);

/// <summary>Changes the tags of many contacts in one step. Exactly one of filter, contactIds and importId says whose; an empty filter means everybody.</summary>
/// <param name="Action">add, remove, or replace: the contacts then have these tags and no others.</param>
/// <param name="Tags">Names. Those that are added and there are not yet are made.</param>
/// <param name="ContactIds">At most 100,000.</param>
/// <param name="Imported">With importId: all (default), created or changed.</param>
/// <param name="Source">person (default), rule or ai.</param>
/// <param name="By">The name of the rule or of the model; of a person it is the name of the key.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="DryRun">Only count what would change.</param>
public sealed record TagApplyRequest(
    string Action, IReadOnlyList<string> Tags, string? Filter = null, IReadOnlyList<ContactId>? ContactIds = null, ImportId? ImportId = null, string? Imported = null,
    string? Source = null, string? By = null, double? Confidence = null, bool DryRun = false);

/// <param name="OperationId">What to undo; null for a dry run.</param>
/// <param name="Contacts">How many contacts were meant.</param>
/// <param name="Missing">How many of contactIds are not there.</param>
/// <param name="Added">Pairs of tag and contact that are new.</param>
/// <param name="Removed">Pairs of tag and contact that went.</param>
public sealed record TagApplyView(TagOperationId? OperationId, int Contacts, int Missing, long Added, long Removed, IReadOnlyList<TagCountView> Tags);

/// <param name="Id">Null for a tag that a dry run would make.</param>
public sealed record TagCountView(TagId? Id, string Name, long Added, long Removed);

/// <summary>Exactly one of the two; an empty filter means everybody.</summary>
/// <param name="ContactIds">At most 100,000.</param>
public sealed record CommonTagsRequest(string? Filter = null, IReadOnlyList<ContactId>? ContactIds = null);

/// <param name="Contacts">How many contacts were meant.</param>
/// <param name="Missing">How many of contactIds are not there.</param>
/// <param name="Tags">Those that any of the contacts has, the most frequent first.</param>
public sealed record CommonTagsView(int Contacts, int Missing, IReadOnlyList<CommonTagView> Tags);

/// <param name="Contacts">How many of the contacts have it.</param>
/// <param name="All">Every one of them has it.</param>
public sealed record CommonTagView(TagId Id, string Name, string? Color, int Contacts, bool All);

/// <summary>A change of tags.</summary>
/// <param name="Kind">create, add, remove, replace, rename, recolor, merge, delete or undo.</param>
/// <param name="Source">person, import, rule or ai.</param>
/// <param name="Actor">The name of the key, of the rule or of the model, or the number of the import.</param>
/// <param name="Details">The filter, names, how many contacts were meant.</param>
/// <param name="Added">Pairs of tag and contact.</param>
/// <param name="Undoes">The operation that this one took back.</param>
/// <param name="UndoneBy">The operation that took this one back; null while it is in effect.</param>
/// <param name="CanBeUndone">False once it was undone, or is so old that its contacts are not kept.</param>
public sealed record TagOperationView(
    TagOperationId Id, DateTimeOffset At, string Kind, string Source, string Actor, double? Confidence, JsonElement Details, long Added, long Removed,
    TagOperationId? Undoes, TagOperationId? UndoneBy, bool CanBeUndone);

/// <summary>A change of tags, and what it changed of each.</summary>
public sealed record TagOperationDetailView(TagOperationView Operation, IReadOnlyList<TagEffectView> Tags);

/// <param name="Name">Its name now; of a tag that is deleted, its last one.</param>
/// <param name="OldName">Where the tag itself changed: its name before; null when it came into being.</param>
/// <param name="NewName">Where the tag itself changed: its name after; null when it went.</param>
public sealed record TagEffectView(TagId Id, string Name, long Added, long Removed, string? OldName, string? OldColor, string? NewName, string? NewColor);

/// <summary>A tag of a contact.</summary>
/// <param name="By">The change that gave it to the contact; null when that is not kept any more.</param>
public sealed record ContactTagView(TagId Id, string Name, string? Color, TagOperationView? By);
