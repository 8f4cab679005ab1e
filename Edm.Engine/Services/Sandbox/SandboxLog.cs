using Microsoft.Extensions.Logging;

namespace Edm.Engine.Services.Sandbox;

internal static partial class SandboxLog
{
    [LoggerMessage(1, LogLevel.Information, "The sandbox listens on {EndPoint}")]
    public static partial void Listening(ILogger logger, System.Net.EndPoint endPoint);

    [LoggerMessage(2, LogLevel.Warning, "The sandbox could not take a connection")]
    public static partial void AcceptFailed(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "The sandbox could not keep a mail")]
    public static partial void KeepFailed(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Debug, "A sandbox connection ended in the middle")]
    public static partial void Broken(ILogger logger, Exception exception);
}
