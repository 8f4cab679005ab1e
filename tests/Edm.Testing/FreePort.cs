using System.Net;
using System.Net.Sockets;

namespace Edm.Testing;

/// <summary>Ports on loopback that nobody listened on a moment ago.</summary>
public static class FreePort
{
    public static int Next() => Next(1)[0];

    /// <summary>Several at once differ from each other for certain.</summary>
    public static int[] Next(int count)
    {
        var listeners = new TcpListener[count];
        try
        {
            for (var i = 0; i < count; i++)
            {
                listeners[i] = new TcpListener(IPAddress.Loopback, 0);
                listeners[i].Start();
            }

            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners)
            {
                listener?.Dispose();
            }
        }
    }
}
