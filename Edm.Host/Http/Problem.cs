using System.Text.Json.Serialization;

namespace Edm.Host.Http;

/// <summary>What went wrong, as every error of the API is told (RFC 9457, <c>application/problem+json</c>).</summary>
public sealed record Problem
{
    /// <summary>Which kind of problem this is, for programs: <c>urn:edm:problem:</c> and a word that never changes.</summary>
    public required string Type { get; init; }

    /// <summary>The kind of problem, for people.</summary>
    public required string Title { get; init; }

    /// <summary>The status of the answer.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong here, and what to do.</summary>
    public string? Detail { get; init; }

    /// <summary>The field, parameter or path that is wrong.</summary>
    public string? Field { get; init; }

    /// <summary>The line in what was sent, counted from 1.</summary>
    public long? Line { get; init; }

    /// <summary>In a file, in bytes from its start.</summary>
    public long? Offset { get; init; }

    /// <summary>The column in that line, counted from 1.</summary>
    public long? Column { get; init; }

    /// <summary>The character or byte in what was sent, counted from 1.</summary>
    public long? Position { get; init; }

    /// <summary>Names this one request in the log.</summary>
    public string? TraceId { get; init; }

    /// <summary>Seconds after which to try again; also the header Retry-After.</summary>
    [JsonIgnore]
    public int? RetryAfter { get; init; }

    private const string Kind = "urn:edm:problem:";

    public static Problem InvalidField(string field, string detail) =>
        new() { Type = Kind + "invalid-field", Title = "A value can't be used.", Status = StatusCodes.Status400BadRequest, Detail = detail, Field = field };

    public static Problem InvalidJson(string detail, string? field, long? line, long? position) => new()
    {
        Type = Kind + "invalid-json",
        Title = "The JSON can't be used.",
        Status = StatusCodes.Status400BadRequest,
        Detail = detail,
        Field = field,
        Line = line,
        Position = position,
    };

    public static Problem InvalidFile(string detail, string? field, long? line, long? offset = null) => new()
    {
        Type = Kind + "invalid-file",
        Title = "The file can't be read.",
        Status = StatusCodes.Status400BadRequest,
        Detail = detail,
        Field = field,
        Line = line,
        Offset = offset,
    };

    public static Problem TooManyErrors(string detail) => new()
    {
        Type = Kind + "too-many-errors",
        Title = "Too many rows of the file can't be used.",
        Status = StatusCodes.Status422UnprocessableEntity,
        Detail = detail,
    };

    public static Problem InvalidTemplate(string detail, string? part, int? line, int? column) => new()
    {
        Type = Kind + "invalid-template",
        Title = "The template can't be used.",
        Status = StatusCodes.Status400BadRequest,
        Detail = detail,
        Field = part,
        Line = line,
        Column = column,
    };

    public static Problem InvalidFilter(string detail, string field, int position) => new()
    {
        Type = Kind + "invalid-filter",
        Title = "The filter can't be read.",
        Status = StatusCodes.Status400BadRequest,
        Detail = detail,
        Field = field,
        Position = position,
    };

    public static Problem BadRequest(string detail) =>
        new() { Type = Kind + "bad-request", Title = "The request can't be understood.", Status = StatusCodes.Status400BadRequest, Detail = detail };

    public static Problem Unauthorized(string detail) =>
        new() { Type = Kind + "unauthorized", Title = "A valid key is needed.", Status = StatusCodes.Status401Unauthorized, Detail = detail };

    public static Problem Forbidden(string detail) =>
        new() { Type = Kind + "forbidden", Title = "This key may not do that.", Status = StatusCodes.Status403Forbidden, Detail = detail };

    public static Problem NotFound(string detail) =>
        new() { Type = Kind + "not-found", Title = "There is no such thing.", Status = StatusCodes.Status404NotFound, Detail = detail };

    public static Problem MethodNotAllowed(string detail) =>
        new() { Type = Kind + "method-not-allowed", Title = "That can't be done here.", Status = StatusCodes.Status405MethodNotAllowed, Detail = detail };

    public static Problem Conflict(string detail, string? field) =>
        new() { Type = Kind + "conflict", Title = "That does not go with what is there.", Status = StatusCodes.Status409Conflict, Detail = detail, Field = field };

    public static Problem TooLarge(string detail) =>
        new() { Type = Kind + "too-large", Title = "The body is too large.", Status = StatusCodes.Status413PayloadTooLarge, Detail = detail };

    public static Problem UnsupportedMediaType(string detail) =>
        new() { Type = Kind + "unsupported-media-type", Title = "The body's type is not understood.", Status = StatusCodes.Status415UnsupportedMediaType, Detail = detail };

    public static Problem TooManyAttempts(int retryAfter) => new()
    {
        Type = Kind + "too-many-attempts",
        Title = "Too many keys that are not valid.",
        Status = StatusCodes.Status429TooManyRequests,
        Detail = $"Try again in {retryAfter} seconds, with a valid key.",
        RetryAfter = retryAfter,
    };

    public static Problem TooMany(string detail, int retryAfter) => new()
    {
        Type = Kind + "too-many",
        Title = "Too much at once.",
        Status = StatusCodes.Status429TooManyRequests,
        Detail = detail,
        RetryAfter = retryAfter,
    };

    public static Problem Unavailable(string detail, int retryAfter) => new()
    {
        Type = Kind + "unavailable",
        Title = "Not possible at the moment.",
        Status = StatusCodes.Status503ServiceUnavailable,
        Detail = detail,
        RetryAfter = retryAfter,
    };

    public static Problem Internal(string traceId) => new()
    {
        Type = Kind + "internal",
        Title = "Something went wrong here.",
        Status = StatusCodes.Status500InternalServerError,
        Detail = "This is a defect of EDM and not of your request. The log knows more under the trace id.",
        TraceId = traceId,
    };

    /// <summary>For a status that something below set without words.</summary>
    public static Problem OfStatus(int status, HttpContext context) => status switch
    {
        StatusCodes.Status400BadRequest => BadRequest("The request can't be understood."),
        StatusCodes.Status401Unauthorized => Unauthorized("Send a key: Authorization: Bearer KEY."),
        StatusCodes.Status403Forbidden => Forbidden("Only an administrator may do that."),
        StatusCodes.Status404NotFound => NotFound($"There is nothing at {context.Request.Path}."),
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed($"{context.Request.Method} is not possible at {context.Request.Path}. Possible: {context.Response.Headers.Allow}."),
        StatusCodes.Status413PayloadTooLarge => TooLarge("The body is larger than this address takes."),
        StatusCodes.Status415UnsupportedMediaType => UnsupportedMediaType("Send the body as JSON: Content-Type: application/json."),
        _ => new Problem { Type = "about:blank", Title = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status), Status = status },
    };
}
