using Edm.Engine.Services.Smtp;

namespace Edm.Engine.Services;

/// <param name="Words">What the server or the network said; fit for the owner's screen.</param>
public sealed record ServiceTest(bool Works, string Words, TimeSpan Took);

/// <summary>Tries a service without sending anything: connects, secures, logs in, and asks for a sign of life.</summary>
public sealed class ServiceTester(SmtpTransport transport, TimeProvider time)
{
    /// <summary>Somebody waits in front of a screen; a server that needs longer will not do for sending either.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<ServiceTest> TestAsync(ServiceSettings service, CancellationToken cancellation = default)
    {
        var began = time.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            var words = await transport.ProbeAsync(service, either.Token);
            return new ServiceTest(true, words, time.GetElapsedTime(began));
        }
        catch (ServiceFaultException fault)
        {
            return new ServiceTest(false, fault.Message, time.GetElapsedTime(began));
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return new ServiceTest(false, $"no answer within {Patience.TotalSeconds:0} s", time.GetElapsedTime(began));
        }
    }
}
