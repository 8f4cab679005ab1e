using System.Collections.Concurrent;

namespace Edm.Engine.Storage;

/// <summary>
/// A few threads of its own for calls that block while they look asynchronous, as SQLite's do. The shared thread pool also carries Akka's
/// dispatchers, and on two cores four blocked threads stop it.
/// At most as many calls are under way as there are threads, so one that awaits something else in between always finds a thread to go on with:
/// the holder of SQLite's write lock can't be kept out by those who wait for it.
/// </summary>
internal sealed class BlockingThreads : TaskScheduler, IDisposable
{
    // Unbounded, and never longer than its callers: a queued item is a waiting call or the continuation of a running one.
    private readonly BlockingCollection<Task> _queue = [];
    private readonly SemaphoreSlim _places;
    private readonly TaskFactory _factory;

    public BlockingThreads(string name, int threads)
    {
        MaximumConcurrencyLevel = threads;
        _places = new SemaphoreSlim(threads, threads);
        _factory = new TaskFactory(CancellationToken.None, TaskCreationOptions.DenyChildAttach, TaskContinuationOptions.None, this);
        for (var i = 0; i < threads; i++)
        {
            new Thread(Work) { IsBackground = true, Name = $"{name}-{i}" }.Start();
        }
    }

    public override int MaximumConcurrencyLevel { get; }

    public async Task<T> RunAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await _factory.StartNew(call, cancellation).Unwrap().ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    // Calls that are under way end; later ones fail with an InvalidOperationException.
    public void Dispose() => _queue.CompleteAdding();

    protected override IEnumerable<Task> GetScheduledTasks() => _queue.ToArray();

    protected override void QueueTask(Task task) => _queue.Add(task);

    // Only our own threads may block.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    private void Work()
    {
        foreach (var task in _queue.GetConsumingEnumerable())
        {
            TryExecuteTask(task);
        }
    }
}
