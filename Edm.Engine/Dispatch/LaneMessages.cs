using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

// What a CentralQueue, its SinkGroups and the choice among services say to each other; never leaves the node.

/// <summary>For one ServiceSink; its <see cref="SinkGroup"/> hands it over.</summary>
internal interface IForSink : INoSerializationVerificationNeeded
{
    ServiceId Service { get; }
}

/// <summary>What the ServiceSinks of a group have to say, in the order in which it was said.</summary>
internal sealed record SinkNews(IReadOnlyList<object> Messages) : INoSerializationVerificationNeeded;

/// <summary>May this connection send this mail? Answered with <see cref="Go"/> once the start is durable, or with <see cref="Refuse"/>.</summary>
internal sealed record StartMail(Mail Mail, ServiceId Service);

/// <summary>These starts are durable: send the mails now.</summary>
internal sealed record Go(IReadOnlyList<(ServiceId Service, MailKey Mail)> Mails) : INoSerializationVerificationNeeded;

/// <summary>The lane does not hold this mail any more (recalled), or it is draining: nothing may be sent.</summary>
internal sealed record Refuse(ServiceId Service, MailKey Mail) : INoSerializationVerificationNeeded;

/// <summary>A deleted service has finished what it had on the wire; nothing else follows of it.</summary>
internal sealed record SinkEnded(ServiceId Service);

/// <summary>What became of a mail, sent or not.</summary>
internal sealed record MailEnded(EndedMail Mail) : INoSerializationVerificationNeeded;

/// <summary>A service that was not there before.</summary>
/// <param name="Starts">Of it, as far as the journal knows.</param>
internal sealed record AddService(ServiceSettings Settings, StartLogSnapshot Starts) : INoSerializationVerificationNeeded;

/// <summary>The service's settings after a change.</summary>
internal sealed record Configure(ServiceSettings Settings) : IForSink
{
    public ServiceId Service => Settings.Id;
}

/// <summary>The service was deleted: finish what is on the wire and end.</summary>
internal sealed record Retire(ServiceId Service) : IForSink;

/// <summary>Grant nothing any more; the lane ends.</summary>
internal sealed class StopGranting : INoSerializationVerificationNeeded
{
    public static readonly StopGranting Instance = new();
}

/// <summary>No mail starts any more, open ones end, the journal is settled; then the answer is <see cref="Drained"/>.</summary>
internal sealed class DrainLane : INoSerializationVerificationNeeded
{
    public static readonly DrainLane Instance = new();
}

internal sealed class Drained : INoSerializationVerificationNeeded
{
    public static readonly Drained Instance = new();
}

/// <summary>Drain, then stop: for passivation and for handing the lane over to another node.</summary>
public sealed class StopLane : INoSerializationVerificationNeeded
{
    public static readonly StopLane Instance = new();
}
