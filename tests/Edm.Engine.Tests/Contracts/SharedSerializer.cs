using Akka.Actor;
using Edm.Contracts;

namespace Edm.Engine.Tests.Contracts;

/// <summary>The serializer for tests that need no actor system but for this.</summary>
internal static class SharedSerializer
{
    public static readonly EdmSerializer Instance = new((ExtendedActorSystem)ActorSystem.Create("serializer"));

    /// <summary>The message as another process or a later start would see it.</summary>
    public static T Copy<T>(T message) where T : class, IEdmMessage => (T)Instance.FromBinary(Instance.ToBinary(message), Instance.Manifest(message));
}
