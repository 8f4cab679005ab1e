using Akka.Event;

namespace Edm.Engine.Settings;

/// <summary>
/// Stands where Akka writes straight to the console while its real loggers are not there: in the last moment of a shutdown it does so whatever
/// <c>stdout-loglevel</c> says, in the middle of a command's own output.
/// </summary>
internal sealed class SilentLogger : MinimalLogger
{
    protected override void Log(object message)
    {
    }
}
