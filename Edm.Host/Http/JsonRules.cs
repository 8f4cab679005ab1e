using System.Text.Encodings.Web;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Json;

namespace Edm.Host.Http;

/// <summary>How strictly bodies are read: a field that is mistyped, doubled or of another type is refused and never ignored.</summary>
internal static class JsonRules
{
    /// <summary>Our bodies are flat; the depth bounds what a hostile one costs.</summary>
    private const int MaxDepth = 16;

    public static IServiceCollection AddJsonRules(this IServiceCollection services)
    {
        services.Configure<JsonOptions>(options =>
        {
            var json = options.SerializerOptions;
            json.UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow;
            json.AllowDuplicateProperties = false;
            json.PropertyNameCaseInsensitive = false;
            json.NumberHandling = JsonNumberHandling.Strict;
            json.RespectNullableAnnotations = true;
            json.RespectRequiredConstructorParameters = true;
            json.MaxDepth = MaxDepth;
            json.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        });
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        return services;
    }
}
