using Akka.Actor;
using Akka.Cluster;
using Edm.Engine.Storage;
using LinqToDB.Data;

namespace Edm.Host.Hosting;

/// <summary>Whether this node should be sent requests. Anybody may ask, so the database is asked at most once a second, whoever asks.</summary>
internal sealed class Readiness(EdmDatabase database, ActorSystem system, IHostApplicationLifetime lifetime, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DatabaseTimeout = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _asking = new(1, 1);
    private long? _askedAt;
    private bool _answered;

    /// <returns>The first reason against it in plain words, null when the node is ready.</returns>
    public async Task<string?> WhyNotAsync(CancellationToken cancellation)
    {
        // The address of the API opens after the migration, so who can ask knows that it is done.
        if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            return "This node is starting.";
        }

        if (lifetime.ApplicationStopping.IsCancellationRequested || system.WhenTerminated.IsCompleted)
        {
            return "This node is shutting down.";
        }

        if (Cluster.Get(system).SelfMember.Status != MemberStatus.Up)
        {
            return "This node has not joined its cluster.";
        }

        return await DatabaseAnswersAsync(cancellation) ? null : "The database does not answer.";
    }

    public void Dispose() => _asking.Dispose();

    internal async Task<bool> DatabaseAnswersAsync(CancellationToken cancellation)
    {
        await _asking.WaitAsync(cancellation);
        try
        {
            if (_askedAt is { } at && time.GetElapsedTime(at) < Fresh)
            {
                return _answered;
            }

            // Not the caller's cancellation: one who goes away must not make it look as if the database had.
            using var patience = new CancellationTokenSource(DatabaseTimeout, time);
            _answered = await AskAsync(patience.Token);
            _askedAt = time.GetTimestamp();
            return _answered;
        }
        finally
        {
            _asking.Release();
        }
    }

    private async Task<bool> AskAsync(CancellationToken patience)
    {
        try
        {
            // WaitAsync, because a connection that hangs in the network ends its call when it likes.
            return await database.RunAsync(connection => connection.ExecuteAsync<int>("SELECT 1", patience), patience).WaitAsync(patience) == 1;
        }
        catch (Exception)
        {
            // Whatever it is, the database does not answer; the one who needs it logs why.
            return false;
        }
    }
}
