using System.Net;
using System.Text;

namespace Edm.Engine.Services.Smtp;

/// <summary>How a service proves who it is.</summary>
public enum LoginKind
{
    /// <summary>User name and password, by PLAIN or LOGIN.</summary>
    Password,

    /// <summary>User name and an OAuth 2.0 access token in place of the password, by XOAUTH2 (Google, Microsoft).</summary>
    XOAuth2,
}

/// <summary>AUTH (RFC 4954) by PLAIN (RFC 4616), LOGIN or XOAUTH2.</summary>
internal static class Login
{
    /// <exception cref="LoginRefusedException">In the server's words.</exception>
    /// <exception cref="MissingExtensionException">The server offers no way that we know.</exception>
    public static async Task AsAsync(NetworkCredential who, LoginKind kind, Offers offers, SmtpWire wire)
    {
        var reply = (kind, offers.Logins) switch
        {
            (LoginKind.XOAuth2, { } ways) when ways.Contains("XOAUTH2") => await XOAuth2Async(who, wire),
            (LoginKind.Password, { } ways) when ways.Contains("PLAIN") => await SayAsync(wire, $"AUTH PLAIN {Base64($"\0{who.UserName}\0{who.Password}")}"),
            (LoginKind.Password, { } ways) when ways.Contains("LOGIN") => await LoginAsync(who, wire),
            (_, { Count: 0 }) => throw new MissingExtensionException("it offers no login (AUTH); some servers offer it only with TLS"),
            (_, { } ways) => throw new MissingExtensionException(
                $"it offers no login by {(kind == LoginKind.XOAuth2 ? "XOAUTH2" : "PLAIN or LOGIN")}, only by {string.Join(", ", ways.Order(StringComparer.Ordinal).Take(10))}"),
        };
        if (!reply.IsPositive)
        {
            throw new LoginRefusedException(reply);
        }
    }

    private static async Task<SmtpReply> LoginAsync(NetworkCredential who, SmtpWire wire)
    {
        var reply = await SayAsync(wire, "AUTH LOGIN");
        if (reply.Code == 334)
        {
            // The two questions are "Username:" and "Password:", in whatever spelling; their order is fixed.
            reply = await SayAsync(wire, Base64(who.UserName));
        }

        return reply.Code == 334 ? await SayAsync(wire, Base64(who.Password)) : reply;
    }

    private static async Task<SmtpReply> XOAuth2Async(NetworkCredential who, SmtpWire wire)
    {
        var reply = await SayAsync(wire, $"AUTH XOAUTH2 {Base64($"user={who.UserName}\u0001auth=Bearer {who.Password}\u0001\u0001")}");

        // Why not comes as a challenge; only an empty answer to it brings the refusal itself.
        return reply.Code == 334 ? await SayAsync(wire, "") : reply;
    }

    private static async Task<SmtpReply> SayAsync(SmtpWire wire, string line)
    {
        await wire.WriteLineAsync(line);
        return await wire.ReadReplyAsync(keepWords: true);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
