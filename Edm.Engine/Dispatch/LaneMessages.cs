using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Services;

namespace Edm.Engine.Dispatch;

// What a CentralQueue and its ServiceSinks say to each other; never leaves the node.

/// <summary>May this connection send this mail? Answered with <see cref="Go"/> once the start is durable, or with <see cref="Refuse"/>.</summary>
internal sealed record StartMail(Mail Mail, ServiceId Service) : INoSerializationVerificationNeeded;

/// <summary>The start is durable: send it now.</summary>
internal sealed record Go(MailKey Key) : INoSerializationVerificationNeeded;

/// <summary>The lane does not hold this mail any more (recalled), or it is draining: nothing may be sent.</summary>
internal sealed record Refuse(MailKey Key) : INoSerializationVerificationNeeded;

/// <summary>What became of a mail, sent or not.</summary>
internal sealed record MailEnded(EndedMail Mail) : INoSerializationVerificationNeeded;

/// <summary>The service's settings, now and after every change.</summary>
internal sealed record Configure(ServiceSettings Settings) : INoSerializationVerificationNeeded;

/// <summary>The service was deleted: finish what is on the wire and stop.</summary>
internal sealed class Retire : INoSerializationVerificationNeeded
{
    public static readonly Retire Instance = new();
}

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
