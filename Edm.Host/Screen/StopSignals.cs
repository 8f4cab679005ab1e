using System.Runtime.InteropServices;

namespace Edm.Host.Screen;

/// <summary>Turns Ctrl+C and SIGTERM into a cancellation, so that a command can tidy up and say what it leaves behind. A second signal ends the process.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public StopSignals()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    }

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        // The source stays: a signal may be on its way to the handler, and there is nothing in it to be freed.
        _interrupt.Dispose();
        _terminate.Dispose();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = !_stop.IsCancellationRequested;
        _stop.Cancel();
    }
}
