using System.Text.RegularExpressions;
using Akka.Pattern;
using Edm.Engine.Storage;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Edm.Host.Hosting;

/// <summary>
/// While the database is away every entity fails, stops, comes back and fails again, each time with a stack trace that says nothing new. Of such entries one line a
/// kind is written, and then one every few seconds that counts the others.
/// </summary>
internal sealed partial class OutageLines(TimeProvider time)
{
    /// <summary>More kinds than the program has; beyond it all others are one kind.</summary>
    private const int MaxKinds = 100;

    /// <summary>What entries of a kind have in common stands at their beginning. Counted without their numbers, whose digits would move the end.</summary>
    private const int KindLength = 80;

    /// <summary>Of a message that is longer only this much is looked at.</summary>
    private const int LookedAt = 1_000;

    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    /// <summary>Entities come back after 2 s, and circuit breakers after 3: who is silent for longer has found the database.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Kind> _kinds = [];
    private TaskCompletionSource _begun = NewSignal();
    private long _beganAt;
    private long _lastAt;
    private long _leftOut;

    /// <summary>Ends when an outage begins; at once while one lasts.</summary>
    public Task Begun
    {
        get
        {
            lock (_gate)
            {
                return _begun.Task;
            }
        }
    }

    /// <summary>Nothing has failed for a while.</summary>
    public bool IsQuiet
    {
        get
        {
            lock (_gate)
            {
                return time.GetElapsedTime(_lastAt) >= Quiet;
            }
        }
    }

    /// <param name="line">What is to be written instead of the entry; null: nothing.</param>
    /// <returns>Whether the entry is about a database that is away.</returns>
    public bool Take(LogLevel level, string message, Exception? exception, out string? line)
    {
        line = null;
        var fault = Fault(exception);
        lock (_gate)
        {
            var told = exception is null && level >= LogLevel.Warning && _begun.Task.IsCompleted && message.Contains("[akka", StringComparison.Ordinal);
            if (fault is null && !told)
            {
                return false;
            }

            Begin();
            var name = KindOf(message);
            if (!_kinds.TryGetValue(name, out var kind))
            {
                name = _kinds.Count < MaxKinds ? name : "";
                _kinds.TryAdd(name, kind = _kinds.GetValueOrDefault(name) ?? new Kind());
            }

            if (kind.WrittenAt is { } at && time.GetElapsedTime(at) < Every)
            {
                kind.LeftOut++;
                _leftOut++;
                return true;
            }

            line = FirstLine(message);
            line += fault is null || line.Contains(fault.Message, StringComparison.Ordinal) ? "" : $" ({fault.Message})";
            line += kind.LeftOut > 0 ? $" [and {kind.LeftOut} more like it]" : "";
            (kind.WrittenAt, kind.LeftOut) = (time.GetTimestamp(), 0);
            return true;
        }
    }

    /// <returns>How long it lasted, and how many entries were not written.</returns>
    public (TimeSpan Duration, long LeftOut) End()
    {
        lock (_gate)
        {
            var ended = (time.GetElapsedTime(_beganAt, _lastAt), _leftOut);
            _kinds.Clear();
            _leftOut = 0;
            _begun = NewSignal();
            return ended;
        }
    }

    private void Begin()
    {
        _lastAt = time.GetTimestamp();
        if (!_begun.Task.IsCompleted)
        {
            _beganAt = _lastAt;
            _begun.SetResult();
        }
    }

    /// <summary>What the database, or the breaker before it, says. A socket alone is not enough: mail servers are away too.</summary>
    private static Exception? Fault(Exception? exception)
    {
        for (var one = exception; one is not null; one = one.InnerException)
        {
            if (one is OpenCircuitException || (one is NpgsqlException or SqliteException && StorageFaults.IsTransient(one)))
            {
                return one;
            }

            if (one is AggregateException several)
            {
                return several.InnerExceptions.Select(Fault).FirstOrDefault(found => found is not null);
            }
        }

        return null;
    }

    // Behind it stands what was thrown, with its stack.
    private static string FirstLine(string message) => message.AsSpan().IndexOfAny('\r', '\n') is var end and >= 0 ? message[..end] : message;

    // The entities of a kind differ in their numbers.
    private static string KindOf(string message)
    {
        var text = Clock().Replace(message.Length > LookedAt ? message[..LookedAt] : message, "");
        text = Digits().Replace(text, "#");
        return text.Length > KindLength ? text[..KindLength] : text;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Digits();

    // What Akka puts before a message: level, time and thread.
    [GeneratedRegex(@"^(\[[A-Z]+\])?\[[0-9/]+ [0-9:.]+Z?\]\[Thread [0-9]+\]")]
    private static partial Regex Clock();

    private sealed class Kind
    {
        public long? WrittenAt { get; set; }

        public long LeftOut { get; set; }
    }
}
