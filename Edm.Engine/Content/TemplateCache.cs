using Edm.Contracts;

namespace Edm.Engine.Content;

/// <summary>
/// The templates that are being sent, parsed once for the whole node. Holds what was used last: at most <see cref="MaxTemplates"/>, and at most
/// <see cref="MaxCharacters"/> of source together, which bounds it at a few dozen megabytes.
/// </summary>
public sealed class TemplateCache(TemplateStore store, TimeProvider time) : ITemplateCache
{
    public const int MaxTemplates = 500;

    private const int MaxCharacters = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<(TemplateId Template, int Version), LinkedListNode<Entry>> _entries = [];

    // The one used last stands first.
    private readonly LinkedList<Entry> _byUse = [];
    private long _characters;

    /// <exception cref="TemplateException">There is no such version, or it can't be parsed any more.</exception>
    public Task<IParsedTemplate> GetAsync(TemplateId template, int version, CancellationToken cancellation)
    {
        Task<IParsedTemplate> parsed;
        lock (_lock)
        {
            if (_entries.TryGetValue((template, version), out var node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }
            else
            {
                node = _byUse.AddFirst(new Entry(template, version));
                _entries.Add((template, version), node);
                node.Value.Parsed = Task.Run(() => LoadAsync(node.Value), CancellationToken.None);
                Trim();
            }

            parsed = node.Value.Parsed;
        }

        // The loading serves everybody who waits for it, so it is not one caller's to cancel.
        return parsed.IsCompleted ? parsed : parsed.WaitAsync(cancellation);
    }

    private async Task<IParsedTemplate> LoadAsync(Entry entry)
    {
        try
        {
            var source = await store.LoadAsync(entry.Template, entry.Version)
                ?? throw new TemplateException($"There is no version {entry.Version} of template {entry.Template}.");
            var parsed = LiquidTemplate.Parse(source, time);
            Weigh(entry, source.Subject.Length + (source.Html?.Length ?? 0) + (source.Text?.Length ?? 0));
            return parsed;
        }
        catch (Exception exception) when (exception is not TemplateException)
        {
            // The database was away; the next one who asks tries again. A template that can't be parsed stays: it won't get better.
            Forget(entry);
            throw;
        }
    }

    private void Weigh(Entry entry, int characters)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue((entry.Template, entry.Version), out var node) && node.Value == entry)
            {
                entry.Characters = characters;
                _characters += characters;
                Trim();
            }
        }
    }

    private void Forget(Entry entry)
    {
        lock (_lock)
        {
            if (_entries.TryGetValue((entry.Template, entry.Version), out var node) && node.Value == entry)
            {
                Remove(node);
            }
        }
    }

    private void Trim()
    {
        while (_byUse.Count > 1 && (_byUse.Count > MaxTemplates || _characters > MaxCharacters))
        {
            Remove(_byUse.Last!);
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _characters -= node.Value.Characters;
        _entries.Remove((node.Value.Template, node.Value.Version));
        _byUse.Remove(node);
    }

    private sealed class Entry(TemplateId template, int version)
    {
        public TemplateId Template => template;

        public int Version => version;

        public Task<IParsedTemplate> Parsed { get; set; } = null!;

        public int Characters { get; set; }
    }
}
