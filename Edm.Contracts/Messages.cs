using System.Diagnostics.CodeAnalysis;

namespace Edm.Contracts;

/// <summary>Everything that crosses a process or is stored in the journal; bound to <see cref="EdmSerializer"/>.</summary>
[SuppressMessage("Design", "CA1040", Justification = "Akka binds serializers by type; the marker is that type.")]
public interface IEdmMessage;

/// <summary>A message for the UserQueue of this user.</summary>
public interface IForUserQueue : IEdmMessage
{
    UserId User { get; }
}

/// <summary>A message for the CentralQueue of this lane.</summary>
public interface IForLane : IEdmMessage
{
    LaneId Lane { get; }
}

/// <summary>An event of a UserQueue. Once released, its name, manifest and members never change; members may be added.</summary>
[SuppressMessage("Design", "CA1040", Justification = "The projection's tag hangs on this type.")]
public interface IUserQueueEvent : IEdmMessage;
