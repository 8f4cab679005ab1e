using Edm.Host.Http;

namespace Edm.Host.Api;

/// <summary>Everything under /v1, in the order in which somebody new needs it. A resource is a file.</summary>
internal static class ApiRoutes
{
    public static void MapApi(this IEndpointRouteBuilder app)
    {
        var v1 = app.MapGroup("/v1").RefuseUnknownQuery();
        v1.MapContacts();
        v1.MapExport();
        v1.MapErasures();
        v1.MapSuppressions();
        v1.MapTags();
        v1.MapSegments();
        v1.MapImports();
        v1.MapImportLayouts();
        v1.MapPools();
        v1.MapServices();
        v1.MapTemplates();
        v1.MapCampaigns();
        v1.MapTasks();
        v1.MapUnknowns();
        v1.MapSandbox();
        v1.MapUsers();
        v1.MapCluster();
    }
}
