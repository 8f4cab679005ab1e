using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Edm.Host.Http;

/// <summary>Adds to every operation the problems that go without saying, and to every problem an example.</summary>
internal static class ProblemExamples
{
    private const string MediaType = "application/problem+json";

    // What every address with a key can answer.
    private static readonly int[] Always = [StatusCodes.Status401Unauthorized, StatusCodes.Status500InternalServerError, StatusCodes.Status503ServiceUnavailable];

    private static readonly Dictionary<int, (string Description, Problem Example)> Known = new()
    {
        [400] = ("A value can't be used.", Problem.InvalidField("priority", "0 is not from 1 to 100.")),
        [401] = ("No key, or one that is not valid.", Problem.Unauthorized("Send a key: Authorization: Bearer KEY.")),
        [403] = ("Only an administrator may do that.", Problem.Forbidden("Only an administrator may do that.")),
        [404] = ("There is no such thing, or it belongs to somebody else.", Problem.NotFound("There is no such campaign.")),
        [409] = ("It does not go with what is there.", Problem.Conflict("There is already a pool 'main'.", "name")),
        [413] = ("The body is too large.", Problem.TooLarge("The body is larger than this address takes.")),
        [415] = ("The body's type is not understood.", Problem.UnsupportedMediaType("Send the body as JSON: Content-Type: application/json.")),
        [422] = ("Too many rows of the file can't be used.", Problem.TooManyErrors("More than 100 rows can't be used, so nothing was stored. See the refused rows, mend them, and send the file again.")),
        [429] = ("Too much at once; come again after Retry-After seconds.", Problem.TooMany("2 imports of yours are still running. Wait until one has ended.", 10)),
        [500] = ("A defect of EDM.", Problem.Internal("0af7651916cd43dd8448eb211c80319c")),
        [503] = ("Not possible at the moment; come again after Retry-After seconds.", Problem.Unavailable("The database can't be reached at the moment. Nothing was changed.", 5)),
    };

    public static Task AddAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        operation.Responses ??= [];
        var open = context.Description.ActionDescriptor.EndpointMetadata.OfType<Microsoft.AspNetCore.Authorization.IAllowAnonymous>().Any();
        if (open)
        {
            operation.Security = [];
        }
        else
        {
            AddAlways(operation, context);
        }

        foreach (var (status, response) in operation.Responses)
        {
            if (int.TryParse(status, CultureInfo.InvariantCulture, out var code) && Known.TryGetValue(code, out var known) && response.Content?.TryGetValue(MediaType, out var media) == true)
            {
                response.Description = known.Description;
                if (media is OpenApiMediaType concrete)
                {
                    concrete.Example = JsonNode.Parse(Problems.ToJson(known.Example));
                }
            }
        }

        return Task.CompletedTask;
    }

    private static void AddAlways(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        foreach (var status in Always)
        {
            operation.Responses!.TryAdd(status.ToString(CultureInfo.InvariantCulture), new OpenApiResponse
            {
                Content = new Dictionary<string, OpenApiMediaType> { [MediaType] = new() { Schema = new OpenApiSchemaReference(nameof(Problem), context.Document) } },
            });
        }
    }
}
