using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services;
using Edm.Engine.Services.Dkim;
using Edm.Host.Http;

namespace Edm.Host.Api;

/// <summary>The signing key of a service.</summary>
internal static class DkimApi
{
    private const string NoSuchService = "There is no such service.";

    /// <summary>RFC 1035, 3.3: a character string has at most 255 octets.</summary>
    private const int MaxPiece = 255;

    public static void MapDkim(RouteGroupBuilder services)
    {
        services.MapPut("/{id:long}/dkim", SetAsync).WithSummary("Sign the mails of a service")
            .WithDescription("With a key of yours, or one that is made. Publish the TXT record of the answer; the key is stored encrypted and never told again.")
            .Produces<DkimView>().Fails(400, 404);
        services.MapGet("/{id:long}/dkim", GetAsync).WithSummary("Get how a service signs, and its DNS record").Produces<DkimView>().Fails(404);
        services.MapDelete("/{id:long}/dkim", RemoveAsync).WithSummary("Sign no more").WithDescription("The key is forgotten.")
            .Produces(StatusCodes.Status204NoContent).Fails(404);
    }

    private static async Task<IResult> SetAsync(long id, NewDkim body, Caller caller, DkimStore store, ServicesApi.Changes changes, CancellationToken cancellation)
    {
        var draft = new DkimDraft(body.Domain, body.Selector, Algorithm(body.Algorithm ?? "rsa"), body.PrivateKey);
        if (await store.SetAsync(caller.User, new ServiceId(id), draft, cancellation) is not var (service, dkim))
        {
            return Problems.NotFound(NoSuchService);
        }

        await changes.TellAsync(service, cancellation);
        return TypedResults.Ok(View(dkim!));
    }

    private static async Task<IResult> GetAsync(long id, Caller caller, DkimStore store, CancellationToken cancellation) =>
        await store.GetAsync(caller.User, new ServiceId(id), cancellation) is not var (_, dkim) ? Problems.NotFound(NoSuchService)
        : dkim is null ? Problems.NotFound("The service does not sign its mails. PUT gives it a key.")
        : TypedResults.Ok(View(dkim));

    private static async Task<IResult> RemoveAsync(long id, Caller caller, DkimStore store, ServicesApi.Changes changes, CancellationToken cancellation)
    {
        if (await store.RemoveAsync(caller.User, new ServiceId(id), cancellation) is not var (service, _))
        {
            return Problems.NotFound(NoSuchService);
        }

        await changes.TellAsync(service, cancellation);
        return TypedResults.NoContent();
    }

    private static DkimAlgorithm Algorithm(string name) => name switch
    {
        "rsa" => DkimAlgorithm.Rsa,
        "ed25519" => DkimAlgorithm.Ed25519,
        _ => throw new FieldException("algorithm", $"'{name}' is none of rsa, ed25519."),
    };

    private static DkimView View(Dkim dkim)
    {
        var pieces = dkim.Record.Chunk(MaxPiece).Select(piece => $"\"{new string(piece)}\"");
        return new DkimView(
            dkim.Domain, dkim.Selector, dkim.Record.Contains("k=ed25519", StringComparison.Ordinal) ? "ed25519" : "rsa", dkim.Name, dkim.Record, $"{dkim.Name}. IN TXT ( {string.Join(' ', pieces)} )");
    }
}
