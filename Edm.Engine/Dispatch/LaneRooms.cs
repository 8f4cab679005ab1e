using System.Collections.Concurrent;
using Akka.Actor;
using Edm.Contracts;
using Edm.Engine.Campaigns;
using Edm.Engine.Content;
using Edm.Engine.Services;
using Edm.Engine.Settings;

namespace Edm.Engine.Dispatch;

/// <summary>The lanes that run on this node, so that a shutdown can drain them.</summary>
public sealed class LaneDirectory
{
    private readonly ConcurrentDictionary<LaneId, IActorRef> lanes = [];

    public void Add(LaneId lane, IActorRef actor) => lanes[lane] = actor;

    public void Remove(LaneId lane, IActorRef actor) => lanes.TryRemove(new KeyValuePair<LaneId, IActorRef>(lane, actor));

    public IReadOnlyList<IActorRef> All => [.. lanes.Values];
}

/// <summary>What a lane needs from the other rooms of the house.</summary>
public sealed record LaneRooms(
    IRecipientSource Recipients,
    ITemplateCache Templates,
    IMimeComposer Mime,
    IMailTransport Transport,
    ILaneServices Services,
    MailsInFlight InFlight,
    LaneDirectory Directory,
    ThisProcess Process,
    TimeProvider Time)
{
    /// <summary>The weight of a user, 1 to 100, among those who send through a lane. Null: all weigh the same.</summary>
    public Func<UserId, int>? Weigh { get; init; }
}
