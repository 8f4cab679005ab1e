using Edm.Contracts;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Async;

namespace Edm.Engine.Services.Dkim;

/// <summary>How a service signs, as its owner sees it. The private key never comes out again.</summary>
/// <param name="Record">What the TXT record of <see cref="Name"/> must say.</param>
public sealed record Dkim(string Domain, string Selector, string Record)
{
    /// <summary>Where receivers look for the public key (RFC 6376, 3.6.2.1).</summary>
    public string Name => $"{Selector}._domainkey.{Domain}";
}

/// <param name="Domain">Null: the domain of the sender address.</param>
/// <param name="PrivateKey">In PEM; null: a new one is made.</param>
public sealed record DkimDraft(string? Domain, string Selector, DkimAlgorithm Algorithm, string? PrivateKey)
{
    // A record prints its members; this one must never print its secret.
    public override string ToString() => $"DKIM draft {Selector}";
}

/// <summary>The signing keys of a user's services. After a change the lane must be told, see <c>ServicesChanged</c>.</summary>
public sealed class DkimStore(EdmDatabase database, SecretBox secrets, TimeProvider time)
{
    /// <returns>The service, and how it signs; null when the user has no such service. The second is null when it does not sign.</returns>
    public Task<(Service Service, Dkim? Dkim)?> GetAsync(UserId user, ServiceId service, CancellationToken cancellation = default) =>
        database.RunAsync(async connection => await ReadAsync(connection, user, service, cancellation), cancellation);

    /// <summary>The next mail that is built is signed so. The key it signed with before is forgotten.</summary>
    /// <returns>Null when the user has no such service.</returns>
    /// <exception cref="FieldException">A value can't be used.</exception>
    public async Task<(Service Service, Dkim? Dkim)?> SetAsync(UserId user, ServiceId service, DkimDraft draft, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var selector = DkimChecks.Selector(draft.Selector);
        var key = DkimChecks.Key(draft);
        var locked = secrets.Lock(key.Pem, ServiceRow.DkimOwner(user.Value));
        return await database.WriteAsync(
            async connection =>
            {
                // The write first: it takes the row's lock, so that the sender that is checked is the one that is signed for.
                var own = Own(connection, user, service);
                if (await own.Set(row => row.UpdatedAt, time.GetUtcNow().ToUnixTimeMilliseconds()).UpdateAsync(cancellation) == 0)
                {
                    return null;
                }

                var domain = DkimChecks.Domain(draft.Domain, (await own.SingleAsync(cancellation)).SenderAddress);
                await own
                    .Set(row => row.DkimDomain, domain).Set(row => row.DkimSelector, selector).Set(row => row.DkimRecord, key.Record).Set(row => row.DkimKey, locked)
                    .Set(row => row.Version, row => row.Version + 1).UpdateAsync(cancellation);
                return await ReadAsync(connection, user, service, cancellation);
            },
            cancellation);
    }

    /// <summary>Mails are not signed any more, and the key is forgotten.</summary>
    /// <returns>Null when the user has no such service.</returns>
    public Task<(Service Service, Dkim? Dkim)?> RemoveAsync(UserId user, ServiceId service, CancellationToken cancellation = default) =>
        database.WriteAsync(
            async connection =>
            {
                await Own(connection, user, service)
                    .Set(row => row.DkimDomain, (string?)null).Set(row => row.DkimSelector, (string?)null).Set(row => row.DkimRecord, (string?)null)
                    .Set(row => row.DkimKey, (byte[]?)null).Set(row => row.UpdatedAt, time.GetUtcNow().ToUnixTimeMilliseconds())
                    .Set(row => row.Version, row => row.Version + 1).UpdateAsync(cancellation);
                return await ReadAsync(connection, user, service, cancellation);
            },
            cancellation);

    private static async Task<(Service Service, Dkim? Dkim)?> ReadAsync(EdmConnection connection, UserId user, ServiceId service, CancellationToken cancellation) =>
        await Own(connection, user, service).SingleOrDefaultAsync(cancellation) is { } row
            ? (row.ToService(), row is { DkimDomain: { } domain, DkimSelector: { } selector, DkimRecord: { } record } ? new Dkim(domain, selector, record) : null)
            : null;

    private static IQueryable<ServiceRow> Own(EdmConnection connection, UserId user, ServiceId service) =>
        connection.GetTable<ServiceRow>().Where(row => row.Id == service.Value && row.UserId == user.Value && row.DeletedAt == null);
}
