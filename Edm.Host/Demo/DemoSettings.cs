using System.Net;
using System.Net.Sockets;
using Akka.Configuration;
using Edm.Engine.Settings;

namespace Edm.Host.Demo;

/// <summary>The settings of the demo: the shipped ones on SQLite in a folder of its own, whatever the environment says of a real installation.</summary>
internal static class DemoSettings
{
    private const int UsualPort = 7025;

    /// <param name="environment">Only EDM_HTTP and EDM_LOG_LEVEL are asked for.</param>
    public static (EdmSettings Settings, Config Hocon) Read(string folder, Func<string, string?> environment)
    {
        var hocon = new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), name => name switch
        {
            "EDM_DATA" => Path.GetFullPath(folder),
            "EDM_HTTP" => environment(name) is { Length: > 0 } given ? given : $"http://127.0.0.1:{(IsFree(UsualPort) ? UsualPort : 0)}",

            // The story is told on the same screen.
            "EDM_LOG_LEVEL" => environment(name) is { Length: > 0 } level ? level : "error",
            _ => null,
        }).Load(Path.Combine(AppContext.BaseDirectory, "hocon", "demo.conf"));
        return (EdmSettings.Read(hocon), hocon);
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
