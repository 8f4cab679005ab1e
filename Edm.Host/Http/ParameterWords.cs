using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Edm.Host.Http;

/// <summary>What the parameters in paths and queries mean: the same name means the same everywhere.</summary>
internal static class ParameterWords
{
    private static readonly Dictionary<string, string> Words = new()
    {
        ["id"] = "The id of the thing.",
        ["key"] = "The id of the key.",
        ["after"] = "The `next` of the page before; left out for the first page.",
        ["limit"] = $"How many at most, 1 to {Paging.Max}.",
        ["filter"] = "Which contacts, such as `tag:beauty and followers >= 10k and country in (US, GB)`; the language stands at `/v1/contacts/count`.",
        ["sort"] = "country, language, category, domain, status, followers, createdAt, updatedAt, lastSent or attr.NAME (as a number); with a `-` before it the largest first.",
        ["seed"] = "Any number.",
        ["state"] = "waiting, leased, pending-retry, sent, failed, skipped, cancelled or unknown.",
        ["file"] = "The name of the file, for the list of imports and as a hint at its kind.",
        ["policy"] = "What becomes of a contact that is there already: merge (default; new values win, missing ones change nothing), replace, skip or reject.",
        ["tag"] = "A tag for what the import brings; may stand several times.",
        ["tagWhich"] = "Who gets those tags: new, changed or all (default).",
        ["dryRun"] = "Everything but the writing, for the counts and the rejected rows.",
        ["maxErrors"] = "More rejected rows than this end the import; rows that can't be read are counted before anything is stored.",
        ["mapping"] = "The name of a saved mapping of columns, which comes before what they would be taken for.",
        ["rows"] = "How many rows to show, 1 to 100.",
        ["name"] = "The name of the thing.",
        ["format"] = "csv (default) or ndjson.",
        ["gzip"] = "As a packed file.",
        ["form"] = "reasons (default): line, field, value and reason. original: your own rows and two more columns.",
        ["contactId"] = "The id of the contact that is meant.",
        ["serviceId"] = "Whose sender it shows; one made up when it is left out.",
        ["poolId"] = "Only those of this pool.",
        ["email"] = "The address, in any spelling.",
        ["login"] = "Only those of this login name.",
    };

    public static Task AddAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            if (parameter.Name is { } name && Words.TryGetValue(name, out var words))
            {
                parameter.Description ??= words;
            }
        }

        return Task.CompletedTask;
    }
}
