using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Edm.Contracts.Http;
using Edm.Engine.Imports;

namespace Edm.Host.Api;

/// <summary>The progress of an import as server-sent events. Read from the database, so that it does not matter which node is at the import.</summary>
internal static class ImportEvents
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    /// <summary>Proxies close what is silent for a minute.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>A client that wants more asks again.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public static async IAsyncEnumerable<SseItem<ImportView>> Of(
        Import import, ImportStore store, TimeProvider time, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (began, said) = (time.GetTimestamp(), time.GetTimestamp());
        ImportView? last = null;
        while (true)
        {
            var view = ImportsApi.View(import);
            if (import.State is ImportState.Finished or ImportState.Failed or ImportState.Interrupted)
            {
                yield return new SseItem<ImportView>(view, "end");
                yield break;
            }

            if (!view.Equals(last is null ? null : last with { Tags = view.Tags }))
            {
                (last, said) = (view, time.GetTimestamp());
                yield return new SseItem<ImportView>(view, "progress");
            }
            else if (time.GetElapsedTime(said) >= Heartbeat)
            {
                said = time.GetTimestamp();
                yield return new SseItem<ImportView>(view, "heartbeat");
            }

            if (time.GetElapsedTime(began) >= Longest || stopping.IsCancellationRequested)
            {
                yield break;
            }

            await Task.Delay(Look, time, cancellation);
            import = await store.GetAsync(import.User, import.Id, cancellation) ?? import with { State = ImportState.Failed };
        }
    }
}
