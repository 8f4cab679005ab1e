using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Tags;
using Edm.Host.Http;

namespace Edm.Host.Api;

/// <summary>Reads requests about the tags of many contacts, and refuses by the field what can't be used.</summary>
internal static class TagRequests
{
    private const int MaxBy = 100;

    /// <exception cref="FieldException"/>
    public static TagRequest Read(TagApplyRequest body, Caller caller)
    {
        var kind = body.Action switch
        {
            "add" => TagOperationKind.Add,
            "remove" => TagOperationKind.Remove,
            "replace" => TagOperationKind.Replace,
            _ => throw new FieldException("action", $"'{body.Action}' is none of add, remove, replace."),
        };
        if (body.Tags.Count > TagApplication.MaxTags || (body.Tags.Count == 0 && kind != TagOperationKind.Replace))
        {
            throw new FieldException("tags", $"1 to {TagApplication.MaxTags} tags, or none with replace; these are {body.Tags.Count}.");
        }

        var names = body.Tags.Select((name, i) => TagName.Parse(name, $"tags[{i}]")).ToArray();
        return new TagRequest(kind, names, Target(body.Filter, body.ContactIds, body.ImportId, body.Imported), Origin(body, caller));
    }

    /// <exception cref="FieldException"/>
    public static TagTarget Target(string? filter, IReadOnlyList<ContactId>? contacts, ImportId? import, string? imported)
    {
        if ((filter is null ? 0 : 1) + (contacts is null ? 0 : 1) + (import is null ? 0 : 1) != 1)
        {
            throw new FieldException("filter", "Say whose tags are meant by exactly one of filter (empty: everybody), contactIds and importId.");
        }

        if (imported is not null && import is null)
        {
            throw new FieldException("imported", "This goes with importId only.");
        }

        return (filter, contacts, import) switch
        {
            ({ } text, _, _) => new TagTarget.Filtered(ContactFilter.Parse(text)),
            (_, { } ids, _) => ids.Count <= TagTarget.MaxContacts
                ? new TagTarget.Listed(ids)
                : throw new FieldException("contactIds", $"At most {TagTarget.MaxContacts} contacts in one request; these are {ids.Count}. A filter has no such bound."),
            (_, _, { } id) => new TagTarget.Imported(id, imported switch
            {
                null or "all" => ImportedContacts.All,
                "created" => ImportedContacts.Created,
                "changed" => ImportedContacts.Changed,
                _ => throw new FieldException("imported", $"'{imported}' is none of all, created, changed."),
            }),
            _ => throw new InvalidOperationException("One of the three is there."),
        };
    }

    private static TagOrigin Origin(TagApplyRequest body, Caller caller)
    {
        if (body.Confidence is not null and not (>= 0 and <= 1))
        {
            throw new FieldException("confidence", $"{body.Confidence} is not from 0 to 1.");
        }

        var source = body.Source switch
        {
            null or "person" => TagSource.Person,
            "rule" => TagSource.Rule,
            "ai" => TagSource.Ai,
            _ => throw new FieldException("source", $"'{body.Source}' is none of person, rule, ai."),
        };
        if (source == TagSource.Person)
        {
            return body.By is null ? new TagOrigin(source, caller.KeyName, body.Confidence) : throw new FieldException("by", "Of a person it is the name of the key; leave this out.");
        }

        return body.By is { } by && by.Trim() is { Length: > 0 and <= MaxBy } name && !name.Any(char.IsControl)
            ? new TagOrigin(source, name, body.Confidence)
            : throw new FieldException("by", $"Name the rule or the model, in 1 to {MaxBy} characters.");
    }
}
