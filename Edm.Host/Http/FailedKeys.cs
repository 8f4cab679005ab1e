using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Edm.Engine.Settings;

namespace Edm.Host.Http;

/// <summary>
/// Counts keys that were not valid, by the address they came from, a minute at a time. Nobody can guess 32 random bytes; this keeps the guessing
/// from costing the database a question each.
/// </summary>
public sealed class FailedKeys(EdmSettings settings, TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Addresses remembered, about 100 bytes each. Past it counting starts anew: who has that many addresses isn't stopped by counting.</summary>
    private const int MaxAddresses = 10_000;

    private readonly ConcurrentDictionary<IPAddress, (DateTimeOffset From, int Count)> _counts = new();

    /// <returns>Seconds to wait; null when a key may be tried.</returns>
    public int? MustWait(IPAddress? address)
    {
        var now = time.GetUtcNow();
        return _counts.TryGetValue(Origin(address), out var seen) && seen.Count >= settings.Http.FailedKeysPerMinute && now - seen.From < Window
            ? (int)Math.Ceiling((seen.From + Window - now).TotalSeconds)
            : null;
    }

    public void Count(IPAddress? address)
    {
        if (_counts.Count >= MaxAddresses)
        {
            _counts.Clear();
        }

        var now = time.GetUtcNow();
        _counts.AddOrUpdate(
            Origin(address),
            _ => (now, 1),
            (_, seen) => now - seen.From < Window ? (seen.From, seen.Count + 1) : (now, 1));
    }

    // Who has one IPv6 address has its whole /64.
    private static IPAddress Origin(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return new IPAddress(bytes);
    }
}
