using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Imports;
using Edm.Engine.Settings;
using Edm.Host.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Edm.Host.Api;

internal static class ImportsApi
{
    private const string NoSuchImport = "There is no such import.";

    public static void MapImports(this IEndpointRouteBuilder v1)
    {
        var imports = v1.MapGroup("/imports").WithTags("Imports");
        imports.MapPost("", ImportAsync).WithSummary("Import a file of contacts")
            .WithDescription(
                """
                The body is the file: CSV, NDJSON or a JSON array in UTF-8, also packed with gzip; its kind is found out. It is read as fast as it can be stored.
                Columns are recognised by name. Contacts are matched by address: a repeated file changes nothing. Rows that can't be used are kept with line,
                field, value and reason; a file that can't be read as a whole changes nothing.
                """)
            .Accepts<Stream>("text/csv", "application/x-ndjson", "application/json", "application/gzip", "application/octet-stream")
            .Produces<ImportView>(StatusCodes.Status201Created).Fails(400, 413, 429);
        imports.MapGet("", ListAsync).WithSummary("List imports, the newest first").Produces<Page<ImportView>>().Fails(400);
        imports.MapGet("/{id:long}", GetAsync).WithSummary("Get an import").Produces<ImportView>().Fails(404);
        imports.MapGet("/{id:long}/errors", ErrorsAsync).WithSummary("Download the rejected rows of an import as CSV")
            .Produces<string>(contentType: "text/csv").Fails(404);
    }

    /// <param name="file">The name of the file, for the list of imports and as a hint at its kind.</param>
    private static async Task<IResult> ImportAsync(
        string? file, HttpContext context, Caller caller, Importer importer, ImportStore store, EdmSettings settings, IHostApplicationLifetime lifetime)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = settings.Http.MaxImport;
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (encoding is not ("" or "identity" or "gzip"))
        {
            throw new FieldException("Content-Encoding", $"'{encoding}' is not understood. Send the file as it is, or packed with gzip.");
        }

        // A shutdown does not wait for somebody's upload: it breaks off, and the same file sent again completes it.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var options = new ImportOptions(ContentType: context.Request.ContentType);
            var summary = await importer.RunAsync(caller.User, context.Request.Body, file ?? "", options, progress: null, ending.Token);
            var import = await store.GetAsync(caller.User, summary.Import, context.RequestAborted)
                ?? throw new InvalidOperationException($"Import {summary.Import} vanished.");
            return TypedResults.Created($"/v1/imports/{import.Id}", View(import));
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return Problems.Result(Problem.Unavailable("This node is shutting down. Send the file again; what is stored already is not doubled.", 5));
        }
    }

    private static async Task<Page<ImportView>> ListAsync(Caller caller, ImportStore store, CancellationToken cancellation, long? after = null, int limit = Paging.Default)
    {
        var found = await store.PageAsync(caller.User, after is { } id ? new ImportId(id) : null, Paging.Limit(limit), cancellation);
        return Paging.Page(found, limit, import => import.Id.Value, View);
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, ImportStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ImportId(id), cancellation) is { } import ? TypedResults.Ok(View(import)) : Problems.NotFound(NoSuchImport);

    private static async Task<IResult> ErrorsAsync(long id, Caller caller, ImportStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ImportId(id), cancellation) is null
            ? Problems.NotFound(NoSuchImport)
            : TypedResults.Stream(stream => store.ErrorsAsCsvAsync(caller.User, new ImportId(id), stream, cancellation), "text/csv; charset=utf-8", $"import-{id}-errors.csv");

    private static ImportView View(Import import) => new(
        import.Id, import.FileName, import.Format, import.State.Name(), import.Rows, import.Created, import.Updated, import.Unchanged, import.Rejected,
        import.Error, import.CreatedAt, import.FinishedAt);
}
