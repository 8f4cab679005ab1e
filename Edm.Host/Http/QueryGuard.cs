using System.Reflection;
using Edm.Contracts;

namespace Edm.Host.Http;

/// <summary>Refuses query parameters that the handler does not know, so that a mistyped filter never means "everything".</summary>
internal static class QueryGuard
{
    public static TBuilder RefuseUnknownQuery<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilterFactory((factory, next) =>
        {
            var known = factory.MethodInfo.GetParameters().Select(NameOf).ToHashSet(StringComparer.OrdinalIgnoreCase);
            return context =>
            {
                foreach (var name in context.HttpContext.Request.Query.Keys)
                {
                    if (!known.Contains(name))
                    {
                        throw new FieldException(name, $"There is no parameter '{name}' here.");
                    }
                }

                return next(context);
            };
        });

    private static string NameOf(ParameterInfo parameter) =>
        parameter.GetCustomAttributes().OfType<Microsoft.AspNetCore.Http.Metadata.IFromQueryMetadata>().FirstOrDefault()?.Name ?? parameter.Name ?? "";
}
