using System.Globalization;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Imports;
using Edm.Engine.Settings;
using Edm.Host.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace Edm.Host.Api;

internal static class ImportsApi
{
    private const string NoSuchImport = "There is no such import.";
    private const string AsyncPreference = "respond-async";

    public static void MapImports(this IEndpointRouteBuilder v1)
    {
        var imports = v1.MapGroup("/imports").WithTags("Imports");
        imports.MapPost("", ImportAsync).WithSummary("Import a file of contacts")
            .WithDescription(
                """
                The body is the file: CSV in any dialect and encoding, NDJSON or a JSON array, also packed with gzip; its kind is found out. It is read to its end before a contact is touched: a
                file that can't be read as a whole changes nothing. Columns are recognised by name (see preview and mappings), and contacts are matched by address: a repeated file changes
                nothing. Rows that can't be used are kept with line, field, value and reason.

                With the header `Idempotency-Key` (1 to 200 visible characters) the same file can be sent again after a crash or a broken connection: the import goes on where
                it stopped, or answers what it came to; another file under the same key is a 409. With `Prefer: respond-async` the answer is a 202 as soon as the file
                was read and is good. The status of a contact is never changed, and who unsubscribed, was suppressed or erased is not brought back.
                """)
            .Accepts<Stream>("text/csv", "application/x-ndjson", "application/json", "application/gzip", "application/octet-stream")
            .Produces<ImportView>(StatusCodes.Status201Created).Produces<ImportView>(StatusCodes.Status202Accepted).Fails(400, 409, 413, 422, 429);
        imports.MapGet("", ListAsync).WithSummary("List imports, the newest first").Produces<Page<ImportView>>().Fails(400);
        imports.MapGet("/{id:long}", GetAsync).WithSummary("Get an import").Produces<ImportView>().Fails(404);
        imports.MapGet("/{id:long}/events", EventsAsync).WithSummary("Watch an import until its end")
            .WithDescription("Server-sent events: `progress` with the import whenever it has changed, `heartbeat` while it has not, and `end` with the import as the last one.")
            .Produces<ImportView>(contentType: "text/event-stream").Fails(404);
        imports.MapGet("/{id:long}/errors", ErrorsAsync).WithSummary("Download the rejected rows of an import as CSV")
            .Produces<string>(contentType: "text/csv").Fails(404);
        imports.MapGet("/{id:long}/errors.csv", ErrorsInFormAsync).WithSummary("Download the rejected rows of an import as CSV, also as your own rows")
            .WithDescription("With `form=original` these are your own rows in your own columns, and two more, `error_column` and `error_reason`: mend them and send the file again.")
            .Produces<string>(contentType: "text/csv").Fails(400, 404);
    }

    /// <param name="file">The name of the file, for the list of imports and as a hint at its kind.</param>
    /// <param name="policy">What becomes of a contact that is there already: merge (default; new values win, missing ones change nothing), replace, skip or reject.</param>
    /// <param name="tag">A tag for what the import brings; may stand several times.</param>
    /// <param name="tagWhich">Who gets those tags: new, changed or all (default).</param>
    /// <param name="dryRun">Everything but the writing, for the counts and the rejected rows.</param>
    /// <param name="maxErrors">More rejected rows than this end the import.</param>
    /// <param name="mapping">The name of a saved mapping of columns, which comes before what they would be taken for.</param>
    private static async Task<IResult> ImportAsync(
        HttpContext context, Caller caller, Importer importer, ImportStore store, EdmSettings settings, IHostApplicationLifetime lifetime,
        string? file, string? policy, [FromQuery] string[]? tag, string? tagWhich, bool? dryRun, long? maxErrors, ImportMappingStore mappings,
        string? mapping)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = settings.Http.MaxImport;
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity" or "gzip"))
        {
            throw new FieldException("Content-Encoding", $"'{encoding}' is not understood. Send the file as it is, or packed with gzip.");
        }

        var options = new ImportOptions(ContentType: context.Request.ContentType)
        {
            Policy = ImportWords.Policy(policy),
            Tags = ImportWords.Tags(tag ?? []),
            TagWhich = ImportWords.TagWhich(tagWhich),
            DryRun = dryRun ?? false,
            MaxErrors = maxErrors is null or >= 0 ? maxErrors : throw new FieldException("maxErrors", $"{maxErrors} is not a number of rows."),
            Key = ImportWords.Key(context.Request.Headers["Idempotency-Key"]),
            Mapping = mapping is null ? null : await SavedAsync(mappings, caller, mapping, context.RequestAborted),
        };

        // A shutdown does not wait for somebody's upload.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var started = await importer.StartAsync(caller.User, context.Request.Body, file ?? "", options, progress: null, ending.Token);
            if (context.Request.Headers["Prefer"].Any(prefer => prefer?.Contains(AsyncPreference, StringComparison.OrdinalIgnoreCase) == true))
            {
                context.Response.Headers["Preference-Applied"] = AsyncPreference;
                return TypedResults.Accepted($"/v1/imports/{started.Import}", View(await ReadBackAsync(caller, store, started.Import, context.RequestAborted)));
            }

            await started.Completion.WaitAsync(ending.Token);
            var import = await ReadBackAsync(caller, store, started.Import, context.RequestAborted);
            return import.State == ImportState.Failed
                ? Problems.Result(Problem.TooManyErrors(import.Error ?? ""))
                : TypedResults.Created($"/v1/imports/{import.Id}", View(import));
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return Problems.Result(Problem.Unavailable("This node is shutting down. Send the file again; what is stored already is not doubled.", 5));
        }
    }

    /// <exception cref="FieldException">There is none of that name.</exception>
    private static async Task<ColumnMappingOverride> SavedAsync(ImportMappingStore mappings, Caller caller, string name, CancellationToken cancellation) =>
        (await mappings.GetAsync(caller.User, name, cancellation))?.Mapping ?? throw new FieldException("mapping", $"There is no mapping '{name}'. Save one with PUT /v1/imports/mappings/NAME.");

    private static async Task<Page<ImportView>> ListAsync(Caller caller, ImportStore store, CancellationToken cancellation, long? after = null, int limit = Paging.Default)
    {
        var found = await store.PageAsync(caller.User, after is { } id ? new ImportId(id) : null, Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, import => import.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, ImportStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ImportId(id), cancellation) is { } import ? TypedResults.Ok(View(import)) : Problems.NotFound(NoSuchImport);

    private static async Task<IResult> EventsAsync(
        long id, Caller caller, ImportStore store, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ImportId(id), cancellation) is { } import
            ? TypedResults.ServerSentEvents(ImportEvents.Of(import, store, time, lifetime.ApplicationStopping, cancellation))
            : Problems.NotFound(NoSuchImport);

    private static Task<IResult> ErrorsAsync(long id, Caller caller, ImportStore store, ErrorsCsv errors, CancellationToken cancellation) =>
        ErrorsInFormAsync(id, caller, store, errors, cancellation);

    /// <param name="form">reasons (default): line, field, value and reason. original: your own rows and two more columns.</param>
    private static async Task<IResult> ErrorsInFormAsync(
        long id, Caller caller, ImportStore store, ErrorsCsv errors, CancellationToken cancellation, string? form = null)
    {
        var chosen = form switch
        {
            null or "reasons" => ErrorsForm.Reasons,
            "original" => ErrorsForm.Original,
            _ => throw new FieldException("form", $"'{form}' is not a form: reasons or original."),
        };
        return await store.GetAsync(caller.User, new ImportId(id), cancellation) is null
            ? Problems.NotFound(NoSuchImport)
            : TypedResults.Stream(
                stream => errors.WriteAsync(caller.User, new ImportId(id), chosen, stream, cancellation), "text/csv; charset=utf-8",
                string.Create(CultureInfo.InvariantCulture, $"import-{id}-errors.csv"));
    }

    private static async Task<Import> ReadBackAsync(Caller caller, ImportStore store, ImportId import, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, import, cancellation) ?? throw new InvalidOperationException($"Import {import} vanished.");

    internal static ImportView View(Import import) => new(
        import.Id, import.FileName, import.Format, import.State.Name(), import.Rows, import.Created, import.Updated, import.Unchanged, import.Rejected, import.Suppressed,
        import.Doubled, import.TotalRows, import.Bytes, import.TotalBytes, import.RowsPerSecond is { } rate ? Math.Round(rate) : null,
        import.Left is { } left ? Math.Ceiling(left.TotalSeconds) : null, ImportWords.Name(import.Options.Policy), import.Options.Tags, import.Options.DryRun, import.Error,
        import.CreatedAt, import.FinishedAt);
}
