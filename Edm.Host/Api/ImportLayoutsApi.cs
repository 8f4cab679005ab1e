using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Imports;
using Edm.Host.Http;

namespace Edm.Host.Api;

/// <summary>How files are read: a look at one before it is imported, and the mappings of columns that a user keeps.</summary>
internal static class ImportLayoutsApi
{
    private const string NoSuchMapping = "There is no such mapping.";

    public static void MapImportLayouts(this IEndpointRouteBuilder v1)
    {
        var imports = v1.MapGroup("/imports").WithTags("Imports");
        imports.MapPost("/preview", PreviewAsync).WithSummary("Look at a file without importing it")
            .WithDescription(
                """
                The body is the file, or its beginning: CSV in any dialect and in UTF-8, UTF-16, GB18030 or Windows-1252, NDJSON or a JSON array, also packed with gzip.
                The answer tells its dialect, what each column is taken for and why, and the first rows as they would be stored. Nothing is stored.
                """)
            .Accepts<Stream>("text/csv", "application/x-ndjson", "application/json", "application/gzip", "application/octet-stream")
            .Produces<ImportPreview>().Fails(400, 404);
        imports.MapGet("/mappings", ListAsync).WithSummary("List your mappings of columns").Produces<ImportMappingsView>();
        imports.MapGet("/mappings/{name}", GetAsync).WithSummary("Get a mapping of columns").Produces<ImportMappingView>().Fails(404);
        imports.MapPut("/mappings/{name}", PutAsync).WithSummary("Save a mapping of columns")
            .WithDescription("It says what columns are instead of what they would be taken for. Import and preview use it with `?mapping=NAME`.")
            .Produces<ImportMappingView>().Fails(400, 409);
        imports.MapDelete("/mappings/{name}", DeleteAsync).WithSummary("Delete a mapping of columns").Produces(StatusCodes.Status204NoContent).Fails(404);
    }

    /// <param name="file">The name of the file, as a hint at its kind.</param>
    /// <param name="mapping">The name of a saved mapping of columns.</param>
    /// <param name="rows">How many rows to show, 1 to 100.</param>
    private static async Task<IResult> PreviewAsync(
        HttpContext context, Caller caller, ImportMappingStore mappings, CancellationToken cancellation, string? file = null, string? mapping = null, int rows = FilePreview.UsualRows)
    {
        if (rows is < 1 or > FilePreview.MaxRows)
        {
            throw new FieldException("rows", $"Ask for 1 to {FilePreview.MaxRows} rows.");
        }

        ImportMapping? saved = null;
        if (mapping is not null && (saved = await mappings.GetAsync(caller.User, mapping, cancellation)) is null)
        {
            return Problems.NotFound(NoSuchMapping);
        }

        var options = new ImportOptions(ContentType: context.Request.ContentType) { Mapping = saved?.Mapping };
        return TypedResults.Ok(await FilePreview.OfAsync(context.Request.Body, file ?? "", options, rows, cancellation));
    }

    private static async Task<ImportMappingsView> ListAsync(Caller caller, ImportMappingStore store, CancellationToken cancellation) =>
        new([.. (await store.ListAsync(caller.User, cancellation)).Select(View)]);

    private static async Task<IResult> GetAsync(string name, Caller caller, ImportMappingStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, name, cancellation) is { } mapping ? TypedResults.Ok(View(mapping)) : Problems.NotFound(NoSuchMapping);

    private static async Task<ImportMappingView> PutAsync(string name, ImportMappingBody body, Caller caller, ImportMappingStore store, CancellationToken cancellation) =>
        View(await store.PutAsync(caller.User, name, ColumnMappingOverride.Of(body.Columns), cancellation));

    private static async Task<IResult> DeleteAsync(string name, Caller caller, ImportMappingStore store, CancellationToken cancellation) =>
        await store.DeleteAsync(caller.User, name, cancellation) ? TypedResults.NoContent() : Problems.NotFound(NoSuchMapping);

    private static ImportMappingView View(ImportMapping mapping) => new(mapping.Name, mapping.Mapping.Columns, mapping.CreatedAt, mapping.UpdatedAt);
}
