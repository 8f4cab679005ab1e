using System.Net.Sockets;
using System.Security.Authentication;

namespace Edm.Engine.Services.Smtp;

/// <summary>Why a service can't be used, in words for its owner: what was tried, and what the server or the network said.</summary>
internal static class ServiceFaults
{
    /// <param name="place">Host and port.</param>
    /// <param name="certificate">What was wrong with the certificate, where something was.</param>
    public static ServiceFaultException Of(Exception exception, string place, string? certificate, bool timedOut)
    {
        var message = exception switch
        {
            _ when certificate is not null => $"TLS with {place} failed: {certificate}",
            _ when timedOut => $"{place} did not answer in time",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData } => $"{place}: there is no host of this name",
            SocketException network => $"{place} can't be reached: {network.Message}",
            LoginRefusedException login => $"{place} refused the login: {Quoted(login.Reply)}",
            SmtpRefusedException refused => $"{place} refused to work for us: {Quoted(refused.Reply)}",
            AuthenticationException tls => $"TLS with {place} failed: {Innermost(tls).Message}",
            MissingExtensionException missing => $"{place} lacks what is needed: {missing.Message}",
            SmtpProtocolException protocol => $"{place} broke off or does not speak SMTP: {protocol.Message}",
            _ => $"{place} can't be used: {Innermost(exception).Message}",
        };
        return new ServiceFaultException(ReplyText.Clean(message), exception)
        {
            Reply = exception switch
            {
                LoginRefusedException login => Quoted(login.Reply),
                SmtpRefusedException refused => Quoted(refused.Reply),
                _ => null,
            },
        };
    }

    private static string Quoted(SmtpReply reply) => $"{reply.Code} {reply.Words}";

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
        {
            exception = inner;
        }

        return exception;
    }
}
