using System.IO.Compression;
using Edm.Contracts;
using Edm.Engine.Contacts.Export;
using Edm.Engine.Contacts.Filters;
using Edm.Host.Http;
using Microsoft.Net.Http.Headers;

namespace Edm.Host.Api;

internal static class ExportApi
{
    public static void MapExport(this IEndpointRouteBuilder v1) => v1.MapGet("/contacts/export", ExportAsync).WithTags("Contacts").WithSummary("Download contacts as CSV or NDJSON")
        .WithDescription(
            """
            All, or those that pass the filter when it begins; each as it is when its turn comes. Every field, tags, status and times (ISO 8601, UTC); in CSV each attribute is a column `attr.NAME`, and tags
            are a JSON list in one cell. Packed with gzip where `Accept-Encoding` allows it, or as a file with `gzip=true`. Imported again, by whomever, it gives the same contacts: values are exactly what
            is stored, so a spreadsheet may take one that begins with `=`, `+`, `-` or `@` for a formula; import the file there as text. A download that breaks off ends as a broken connection, never as a
            shorter file.
            """)
        .Produces<string>(StatusCodes.Status200OK, "text/csv", "application/x-ndjson", "application/gzip").Fails(400);

    private static async Task<ExportResult> ExportAsync(
        HttpContext context, Caller caller, ContactExport export, CancellationToken cancellation, string? filter = null, string? format = null, bool gzip = false)
    {
        var chosen = ExportFormats.TryParse(format, out var known) ? known : throw new FieldException("format", $"'{format}' is not a format: {string.Join(" or ", ExportFormats.All)}.");
        var run = await export.BeginAsync(caller.User, ContactFilter.Parse(filter), chosen, cancellation);
        var packing = gzip ? Packing.File
            : context.Request.GetTypedHeaders().AcceptEncoding.Any(encoding => encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && encoding.Quality is null or > 0) ? Packing.Transfer
            : Packing.None;
        return new ExportResult(run, chosen, packing);
    }
}

internal enum Packing
{
    None,

    /// <summary>On its way only (RFC 9110, 8.4): the client unpacks it.</summary>
    Transfer,

    /// <summary>The file itself is packed.</summary>
    File,
}

/// <summary>Streams an export. Kestrel's back-pressure is the export's: nothing is read that the client has not taken, and one who takes nothing at all is cut off by it.</summary>
internal sealed partial class ExportResult(ExportRun run, ExportFormat format, Packing packing) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.ContentType = packing == Packing.File ? "application/gzip" : format == ExportFormat.Csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        response.Headers.ContentDisposition = $"attachment; filename=contacts.{format.Name()}{(packing == Packing.File ? ".gz" : "")}";
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (packing == Packing.Transfer)
        {
            response.Headers.ContentEncoding = "gzip";
        }

        // A shutdown does not wait for somebody's download.
        var stopping = httpContext.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping);
        try
        {
            await WriteAsync(response.Body, ending.Token);
        }
        catch (Exception exception) when (response.HasStarted)
        {
            // Too late for another answer. Without the end of the last chunk no client takes the part for the whole.
            LogBroken(httpContext.RequestServices.GetRequiredService<ILogger<ExportResult>>(), exception);
            httpContext.Abort();
        }
    }

    private async Task WriteAsync(Stream body, CancellationToken cancellation)
    {
        if (packing == Packing.None)
        {
            await run.WriteAsync(body, progress: null, cancellation);
            return;
        }

        var packed = new GZipStream(body, CompressionLevel.Fastest, leaveOpen: true);
        await run.WriteAsync(packed, progress: null, cancellation);

        // Only now: disposing of it writes the end of the file.
        await packed.DisposeAsync();
    }

    [LoggerMessage(LogLevel.Warning, "An export of contacts broke off")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
