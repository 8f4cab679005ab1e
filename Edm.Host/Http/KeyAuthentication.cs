using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using Edm.Engine.Users;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Edm.Host.Http;

/// <summary>
/// <c>Authorization: Bearer KEY</c> (RFC 6750), or Basic (RFC 7617) with the key as the password and any name, which is what a browser can send.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, KeyStore keys, FailedKeys failed)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";

    private const string Basic = "Basic";
    private const string Realm = "EDM";

    // Set when the answer is not a plain 401.
    private Problem? _refusal;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Read() is not { } given)
        {
            return AuthenticateResult.NoResult();
        }

        if (given.Scheme == Basic && IsForeign())
        {
            _refusal = Problem.Forbidden("A page of another site sent this request with the key that the browser keeps. Use Authorization: Bearer KEY.");
            return AuthenticateResult.Fail("cross-site");
        }

        var address = Context.Connection.RemoteIpAddress;
        if (keys.Remembered(given.Key) is not { } owner)
        {
            if (failed.MustWait(address) is { } seconds)
            {
                _refusal = Problem.TooManyAttempts(seconds);
                return AuthenticateResult.Fail("too many attempts");
            }

            if (await keys.FindAsync(given.Key, Context.RequestAborted) is not { } found)
            {
                failed.Count(address);
                return AuthenticateResult.Fail("not valid");
            }

            owner = found;
        }

        var caller = new Caller(owner.User, owner.Name, owner.Role, owner.KeyId, owner.KeyName);
        return AuthenticateResult.Success(new AuthenticationTicket(caller.ToPrincipal(Scheme.Name), Scheme.Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (_refusal is not null)
        {
            return Problems.WriteAsync(Context, _refusal);
        }

        var given = Request.Headers.Authorization.Count > 0;
        Response.Headers.WWWAuthenticate = new[] { $"Bearer realm=\"{Realm}\"{(given ? ", error=\"invalid_token\"" : "")}", $"{Basic} realm=\"{Realm}\", charset=\"UTF-8\"" };
        return Problems.WriteAsync(Context, Problem.Unauthorized(given
            ? "The key is not valid: it is mistyped, was revoked, or belongs to another installation."
            : "Send a key: Authorization: Bearer KEY."));
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Problems.WriteAsync(Context, Problem.Forbidden("Only an administrator may do that."));

    private (string Scheme, string Key)? Read()
    {
        if (Request.Headers.Authorization.Count != 1 || !AuthenticationHeaderValue.TryParse(Request.Headers.Authorization[0], out var header) || header.Parameter is null)
        {
            return null;
        }

        if (string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return ("Bearer", header.Parameter);
        }

        if (!string.Equals(header.Scheme, Basic, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[512];
        if (!Convert.TryFromBase64String(header.Parameter, bytes, out var length))
        {
            return null;
        }

        var text = Encoding.UTF8.GetString(bytes[..length]);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (Basic, text[(colon + 1)..]);
    }

    /// <summary>A browser sends a kept Basic key along with requests that other sites make; it also says that it was them (Fetch Metadata).</summary>
    private bool IsForeign() =>
        !HttpMethods.IsGet(Request.Method) && !HttpMethods.IsHead(Request.Method)
        && Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none");
}
