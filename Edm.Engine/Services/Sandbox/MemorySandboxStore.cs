namespace Edm.Engine.Services.Sandbox;

/// <summary>For tests that bring their own sandbox: counts every recipient, keeps the newest messages, forgets all with the process.</summary>
public sealed class MemorySandboxStore : ISandboxStore
{
    private const int MaxMessages = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, long> _times = new(StringComparer.OrdinalIgnoreCase);
    private readonly Queue<(SandboxMessage Message, byte[] Raw)> _messages = [];
    private long _received;

    /// <summary>How often each address got a mail.</summary>
    public IReadOnlyDictionary<string, long> Times
    {
        get
        {
            lock (_lock)
            {
                return new Dictionary<string, long>(_times, StringComparer.OrdinalIgnoreCase);
            }
        }
    }

    public Task AddAsync(SandboxMail mail, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(mail);
        lock (_lock)
        {
            foreach (var recipient in mail.Recipients)
            {
                _times[recipient] = _times.GetValueOrDefault(recipient) + 1;
                _messages.Enqueue((new SandboxMessage(++_received, mail.ReceivedAt, mail.Login, mail.Sender, recipient, mail.Subject, mail.MessageId, mail.Size), mail.Raw));
                if (_messages.Count > MaxMessages)
                {
                    _messages.Dequeue();
                }
            }
        }

        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<SandboxMessage>> PageAsync(long before, int limit, string? login, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<SandboxMessage>>(
                [.. _messages.Select(kept => kept.Message).Where(message => message.Id < before && (login is null || message.Login == login)).Reverse().Take(limit)]);
        }
    }

    public Task<byte[]?> GetRawAsync(long id, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult<byte[]?>(_messages.FirstOrDefault(kept => kept.Message.Id == id).Raw);
        }
    }

    public Task<SandboxCount> CountAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult(new SandboxCount(_received, _times.Count, _times.Values.Count(times => times > 1)));
        }
    }

    public Task<IReadOnlyList<SandboxDuplicate>> DuplicatesAsync(int limit, CancellationToken cancellation)
    {
        lock (_lock)
        {
            return Task.FromResult<IReadOnlyList<SandboxDuplicate>>(
                [.. _times.Where(entry => entry.Value > 1).OrderByDescending(entry => entry.Value).Take(limit).Select(entry => new SandboxDuplicate(entry.Key, entry.Value))]);
        }
    }

    public Task<int> ForgetAsync(Func<string, bool> isMeant, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var meant = _times.Keys.Where(isMeant).ToHashSet(StringComparer.OrdinalIgnoreCase);
            foreach (var address in meant)
            {
                _times.Remove(address, out var times);
                _times.Add($"erased-{Guid.NewGuid():N}", times);
            }

            var kept = _messages.Where(kept => !meant.Contains(kept.Message.Recipient)).ToArray();
            _messages.Clear();
            Array.ForEach(kept, _messages.Enqueue);
            return Task.FromResult(meant.Count);
        }
    }

    public Task ClearAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            _times.Clear();
            _messages.Clear();
            _received = 0;
        }

        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
