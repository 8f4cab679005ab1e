using Edm.Contracts;
using Edm.Engine.Storage;
using Microsoft.Extensions.Logging;

namespace Edm.Engine.Users;

/// <summary>
/// The weights of users, for the lanes of this node: a copy of those that are not 1, read anew when somebody asks and it is some seconds old. Asking costs a look-up and
/// never waits; while the database is away the last copy goes on.
/// </summary>
public sealed partial class UserWeights(UserStore users, TimeProvider time, ILogger<UserWeights> logger)
{
    /// <summary>A change is in force after that long, on every node.</summary>
    private const long StaleAfterMs = 3_000;

    private volatile IReadOnlyDictionary<UserId, int> _copy = new Dictionary<UserId, int>();
    private long _readAtMs;
    private int _reading;

    public int Of(UserId user)
    {
        if (time.GetUtcNow().ToUnixTimeMilliseconds() - Volatile.Read(ref _readAtMs) >= StaleAfterMs && Interlocked.CompareExchange(ref _reading, 1, 0) == 0)
        {
            _ = ReadAsync();
        }

        return _copy.GetValueOrDefault(user, User.DefaultWeight);
    }

    /// <summary>A weight was changed: the next who asks reads.</summary>
    public void Forget() => Volatile.Write(ref _readAtMs, 0);

    private async Task ReadAsync()
    {
        // Off the asker's thread from the first step: SQLite works where it is called.
        await Task.Yield();
        Volatile.Write(ref _readAtMs, time.GetUtcNow().ToUnixTimeMilliseconds());
        try
        {
            _copy = await users.WeightsAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            LogFailed(exception.Message);
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    [LoggerMessage(LogLevel.Debug, "The weights of users can't be read ({Reason}); those read before stay in force")]
    private partial void LogFailed(string reason);
}
