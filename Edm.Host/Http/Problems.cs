using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Content;
using Edm.Engine.Imports;
using Edm.Engine.Storage;

namespace Edm.Host.Http;

/// <summary>The one place where what went wrong becomes an answer.</summary>
public static partial class Problems
{
    private const int StorageRetrySeconds = 5;
    private const int EntityRetrySeconds = 2;
    private const int ImportRetrySeconds = 10;

    // Null members are left out, and umlauts and quotes stay readable.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <returns>Null for an exception that is nobody's mistake but ours: answered with 500, and logged.</returns>
    public static Problem? Of(Exception exception) => exception switch
    {
        FieldException field => Problem.InvalidField(field.Field, field.Message),
        ConflictException conflict => Problem.Conflict(conflict.Message, conflict.Field),
        TemplateException template => Problem.InvalidTemplate(template.Message, template.Part, template.Line, template.Column),
        ImportFormatException file => Problem.InvalidFile(file.Message, file.Field, file.Line, file.Offset),
        TooManyImportsException imports => Problem.TooMany(imports.Message, ImportRetrySeconds),
        ImportRunningException running => Problem.Conflict(running.Message, "Idempotency-Key") with { RetryAfter = ImportRetrySeconds },
        TooManyErrorsException errors => Problem.TooManyErrors(errors.Message),
        ContactFilterException filter => Problem.InvalidFilter(filter.Message, "filter", filter.Position),
        BadHttpRequestException request => OfRequest(request),
        AskTimeoutException => Problem.Unavailable("The part that knows did not answer in time. Nothing is known of what became of the request: asking again is safe.", EntityRetrySeconds),
        _ when StorageFaults.IsTransient(exception) => Problem.Unavailable("The database can't be reached at the moment. Nothing was changed.", StorageRetrySeconds),
        _ => null,
    };

    public static async Task WriteAsync(HttpContext context, Problem problem)
    {
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (problem.RetryAfter is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await JsonSerializer.SerializeAsync(response.Body, problem, Json, context.RequestAborted);
        }
    }

    internal static string ToJson(Problem problem) => JsonSerializer.Serialize(problem, Json);

    public static string TraceId(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    /// <summary>An answer for a handler that found nothing, or nothing that this user may know of.</summary>
    public static IResult NotFound(string what) => Result(Problem.NotFound(what));

    public static IResult Result(Problem problem) => new ProblemResult(problem);

    private static Problem OfRequest(BadHttpRequestException exception)
    {
        if (exception.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Problem.TooLarge($"{exception.Message.TrimEnd('.')}.");
        }

        if (exception.StatusCode == StatusCodes.Status415UnsupportedMediaType)
        {
            return Problem.UnsupportedMediaType("Send the body as JSON: Content-Type: application/json.");
        }

        if (exception.InnerException is JsonException json)
        {
            return JsonProblem.Of(json);
        }

        // The binder's words, such as: Failed to bind parameter "Nullable<int> limit" from "ten".
        var match = BindingFailure().Match(exception.Message);
        if (match.Success)
        {
            var (type, name, value) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
            return Problem.InvalidField(name, $"'{value}' is not {JsonProblem.Expected(type)}.");
        }

        match = MissingParameter().Match(exception.Message);
        if (match.Success)
        {
            return match.Groups[2].Value == "body"
                ? Problem.BadRequest("A JSON body is needed, and none came.")
                : Problem.InvalidField(match.Groups[1].Value, "This parameter is needed.");
        }

        return Problem.BadRequest(exception.Message) with { Status = exception.StatusCode };
    }

    [GeneratedRegex("""^Failed to bind parameter "(?:Nullable<)?(\w+)>? (\w+)" from "(.*)"\.$""", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex BindingFailure();

    [GeneratedRegex("""^Required parameter "\S+ (\w+)" was not provided from (query string|body|route|header|.*)\.$""", RegexOptions.CultureInvariant)]
    private static partial Regex MissingParameter();

    private sealed class ProblemResult(Problem problem) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, problem);
    }
}
