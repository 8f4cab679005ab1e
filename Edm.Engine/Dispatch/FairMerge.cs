using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Stage;
using Edm.Contracts;

namespace Edm.Engine.Dispatch;

/// <summary>The stage has room for so many more batches.</summary>
internal sealed record Demand(int Batches) : INoSerializationVerificationNeeded;

/// <summary>
/// Where the lane's graph begins: turns demand from downstream into pulls. Whose turn it is, and which batch may be let in, is decided in the
/// CentralQueue (<see cref="FairQueue"/>), which also has to answer for leases; this stage keeps <see cref="Room"/> batches, so that fetching overlaps with
/// sending. Batches that come late, after somebody else was asked in their place, come on top; FairQueue bounds them.
/// </summary>
internal sealed class FairMerge(IActorRef lane) : GraphStageWithMaterializedValue<SourceShape<Batch>, Task<IActorRef>>
{
    /// <summary>A fetch takes one journal write and one SQL statement, some milliseconds each; four at a time hide them at thousands of mails a second.</summary>
    public const int Room = 4;

    private readonly Outlet<Batch> outlet = new("FairMerge.out");

    public override SourceShape<Batch> Shape => new(outlet);

    public override ILogicAndMaterializedValue<Task<IActorRef>> CreateLogicAndMaterializedValue(Attributes inheritedAttributes)
    {
        var logic = new Logic(this, lane);
        return new LogicAndMaterializedValue<Task<IActorRef>>(logic, logic.Ref);
    }

    private sealed class Logic : OutGraphStageLogic
    {
        private readonly FairMerge stage;
        private readonly IActorRef lane;
        private readonly Queue<Batch> buffer = new(Room);
        private readonly TaskCompletionSource<IActorRef> self = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Logic(FairMerge stage, IActorRef lane) : base(stage.Shape)
        {
            (this.stage, this.lane) = (stage, lane);
            SetHandler(stage.outlet, this);
        }

        public Task<IActorRef> Ref => self.Task;

        public override void PreStart()
        {
            self.SetResult(GetStageActor(OnMessage).Ref);
            lane.Tell(new Demand(Room));
        }

        public override void OnPull()
        {
            if (buffer.TryDequeue(out var batch))
            {
                Push(stage.outlet, batch);
                lane.Tell(new Demand(1));
            }
        }

        private void OnMessage((IActorRef Sender, object Message) received)
        {
            if (received.Message is Batch batch)
            {
                buffer.Enqueue(batch);
                if (IsAvailable(stage.outlet))
                {
                    OnPull();
                }
            }
        }
    }
}
