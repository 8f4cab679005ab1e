using System.Diagnostics;

namespace Edm.Testing;

/// <summary>Waits for a condition, never for a clock: returns the moment the condition holds and fails, saying what was waited for, when it never does.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <exception cref="TimeoutException">The condition did not come true in time; carries <paramref name="because"/> and the last exception of the condition.</exception>
    public static Task Async(Func<bool> condition, TimeSpan timeout, string because) =>
        Async(() => Task.FromResult(condition()), timeout, because);

    /// <inheritdoc cref="Async(Func{bool}, TimeSpan, string)"/>
    public static async Task Async(Func<Task<bool>> condition, TimeSpan timeout, string because)
    {
        var watch = Stopwatch.StartNew();
        Exception? last = null;
        do
        {
            try
            {
                if (await condition())
                {
                    return;
                }

                last = null;
            }
            catch (Exception e)
            {
                // A server that is just starting or stopping throws here; if it never stops throwing, the timeout reports the last one.
                last = e;
            }

            await Task.Delay(Pause);
        }
        while (watch.Elapsed < timeout);

        throw new TimeoutException($"Waited {timeout.TotalSeconds:0.#} s in vain: {because}{(last is null ? "" : $" (last: {last.GetType().Name}: {last.Message})")}", last);
    }
}
