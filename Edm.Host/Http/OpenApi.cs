using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Edm.Host.Http;

/// <summary>The description of the API at /openapi/v1.json, and the page to try it at /docs. Both want a key, like everything else.</summary>
internal static class OpenApi
{
    private const string Bearer = "bearer";
    private const string Basic = "basic";

    /// <summary>The page lives on what this process serves: the browser itself sees to it.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'self'; frame-ancestors 'none'; form-action 'self'";

    public static IServiceCollection AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        // Ids and fields of changes are described where they stand, and not as types of their own.
        options.CreateSchemaReferenceId = type => PlainSchemas.IsPlain(type.Type) ? null : OpenApiOptions.CreateDefaultSchemaReferenceId(type);
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "EDM",
                Version = "v1",
                Description =
                    """
                    Sends bulk and follow-up mail through many mail services, and knows at every moment what became of every recipient.

                    The way of a campaign: **import** contacts, create a **pool** with **services**, a **template** and a **campaign**; **freeze** it
                    (its audience becomes a task), **launch** it, and watch the **task**: `planned` is always the sum of its eight counts.

                    Every error is a problem (RFC 9457) that names the `field`, `line`, `column` or `position` that is wrong. Lists are paged by key:
                    give `next` of one page as `after` of the following one. What belongs to another user does not exist for you (404).
                    """,
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Bearer,
                Description = "A key: edm_ and 43 characters. The first one is in the file admin.key of the data folder.",
            };
            document.Components.SecuritySchemes[Basic] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = Basic,
                Description = "For browsers: any name, and the key as the password.",
            };
            document.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, document)] = [] },
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Basic, document)] = [] },
            ];
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(ProblemExamples.AddAsync);
        options.AddOperationTransformer(ParameterWords.AddAsync);
        options.AddSchemaTransformer(PlainSchemas.DescribeAsync);
    });

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapScalarApiReference("/docs", options =>
        {
            options.Title = "EDM API";
            options.OpenApiRoutePattern = "/openapi/{documentName}.json";

            // Nothing from outside: no fonts, no proxy for requests, no telemetry, no assistant.
            options.DefaultFonts = false;
            options.Telemetry = false;
            options.Agent = new ScalarAgentOptions { Disabled = true };
            options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        }).AddEndpointFilter(async (context, next) =>
        {
            context.HttpContext.Response.Headers.ContentSecurityPolicy = Policy;
            return await next(context);
        });
    }
}
