using Akka.Actor;

namespace Edm.Engine.Dispatch;

/// <summary>
/// What the ServiceSinks of a group say to their lane and to the choice among services. It is told together, after whatever is in the group's mailbox already: one message for many,
/// so that those who hear it have many alike to do in a row. Used by the group's actor only; bounded by what its mailbox holds.
/// </summary>
internal sealed class SinkPost(IActorRef group, IActorRef lane, IActorRef select, IScheduler scheduler)
{
    private List<object> forLane = [];
    private List<object> forSelect = [];
    private bool asked;

    /// <summary>The group's actor.</summary>
    public IActorRef Self => group;

    public void ToLane(object message)
    {
        forLane.Add(message);
        Ask();
    }

    public void ToSelect(object message)
    {
        forSelect.Add(message);
        Ask();
    }

    public void ToSelect(object message, TimeSpan after) => scheduler.ScheduleTellOnce(after, select, message, group);

    public void Deliver()
    {
        asked = false;
        forLane = Tell(lane, forLane);
        forSelect = Tell(select, forSelect);
    }

    private void Ask()
    {
        if (!asked)
        {
            asked = true;
            group.Tell(DeliverNow.Instance);
        }
    }

    /// <returns>For what comes next.</returns>
    private List<object> Tell(IActorRef to, List<object> messages)
    {
        if (messages.Count == 0)
        {
            return messages;
        }

        to.Tell(new SinkNews(messages), group);
        return [];
    }

    internal sealed class DeliverNow : INoSerializationVerificationNeeded
    {
        public static readonly DeliverNow Instance = new();
    }
}
