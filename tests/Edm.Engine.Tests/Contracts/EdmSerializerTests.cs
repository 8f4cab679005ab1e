using System.Text;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Akka.Persistence;
using Edm.Contracts;
using Edm.Engine.Tests.Dispatch;
using Edm.Testing;
using Xunit;

namespace Edm.Engine.Tests.Contracts;

public sealed class EdmSerializerTests(EdmSerializerTests.RunningNode running) : IClassFixture<EdmSerializerTests.RunningNode>
{
    private static readonly IReadOnlyDictionary<string, Type> Known = EdmSerializer.Known.ToDictionary(known => known.Manifest, known => known.Type);

    private Akka.Serialization.Serialization Serialization => running.Node.System.Serialization;

    private EdmSerializer Serializer => (EdmSerializer)Serialization.FindSerializerForType(typeof(IEdmMessage));

    public static TheoryData<string> Manifests => [.. Known.Keys];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void What_was_written_is_read_as_it_was(string manifest)
    {
        var samples = Samples.Of(Known[manifest]);
        Assert.True(samples.Count > 0, $"Add a sample of {Known[manifest].Name} to {nameof(Samples)}.");
        foreach (var sample in samples)
        {
            Assert.Same(Serializer, Serialization.FindSerializerFor(sample));
            Assert.Equal(manifest, Serializer.Manifest(sample));
            Assert.Equivalent(sample, Serializer.FromBinary(Serializer.ToBinary(sample), manifest), strict: true);
        }
    }

    [Theory]
    [MemberData(nameof(Manifests))]
    public void A_first_sample_leaves_no_member_at_its_default(string manifest)
    {
        Assert.Empty(Unset(Samples.Of(Known[manifest])[0], manifest));

        static IEnumerable<string> Unset(object value, string path)
        {
            var type = value.GetType();
            if (value is Array many)
            {
                return many.Length == 0 ? [path] : Unset(many.GetValue(0)!, path + "[0]");
            }

            if (type.IsPrimitive || type.IsEnum || value is string)
            {
                return [];
            }

            return type.GetConstructors().MaxBy(c => c.GetParameters().Length)!.GetParameters().SelectMany(parameter =>
            {
                var member = type.GetProperty(parameter.Name!)!.GetValue(value);
                var unset = member is null || (member.GetType().IsValueType && member is not Enum && member.Equals(Activator.CreateInstance(member.GetType())));
                return unset ? [$"{path}.{parameter.Name}"] : Unset(member!, $"{path}.{parameter.Name}");
            });
        }
    }

    [Fact]
    public void Every_message_has_a_manifest()
    {
        var messages = typeof(IEdmMessage).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(IEdmMessage)) && !type.IsInterface);

        Assert.Equal(messages.Select(type => type.Name).Order(), Known.Values.Select(type => type.Name).Order());
    }

    [Fact]
    public void Every_sample_is_of_a_known_type() => Assert.Empty(Samples.Types.Except(Known.Values));

    [Fact]
    public void Its_id_is_nobody_elses()
    {
        var system = (ExtendedActorSystem)running.Node.System;

        // They bring their serializers when they are first used.
        Assert.NotNull(ClusterSharding.Get(system));
        Assert.NotNull(Persistence.Instance.Apply(system));
        var serializers = system.Settings.Config.GetConfig("akka.actor.serializers").AsEnumerable().ToDictionary(
            entry => entry.Key, entry => Type.GetType(entry.Value.GetString(), throwOnError: true)!);
        var ids = serializers.Values.Distinct().Select(type => (Type: type, Id: Identifier(type))).ToArray();

        Assert.Contains(ids, entry => entry.Type.Assembly.GetName().Name == "Akka.Cluster.Sharding");
        Assert.Contains(ids, entry => entry.Type.Assembly.GetName().Name == "Akka.Persistence");
        Assert.Equal([typeof(EdmSerializer)], ids.Where(entry => entry.Id == EdmSerializer.SerializerId).Select(entry => entry.Type));
        Assert.Equal(new Accepted(1), Serialization.Deserialize("{\"changed\":1}"u8.ToArray(), EdmSerializer.SerializerId, "a.accepted"));

        int Identifier(Type type)
        {
            var takesSystem = type.GetConstructor([typeof(ExtendedActorSystem)]) is not null;
            return ((Akka.Serialization.Serializer)Activator.CreateInstance(type, takesSystem ? [system] : [system, Akka.Configuration.Config.Empty])!).Identifier;
        }
    }

    [Fact]
    public void A_type_that_nobody_registered_is_refused()
    {
        var refusal = Record.Exception(() => Serialization.Serialize(new Stranger("x")));

        Assert.NotNull(refusal);
        Assert.Contains(nameof(Stranger), refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_without_a_manifest_is_refused_by_name()
    {
        var refusal = Assert.Throws<ArgumentException>(() => Serializer.ToBinary(new Unlisted()));

        Assert.Contains(nameof(Unlisted), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(EdmSerializer), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_of_a_newer_version_is_refused_by_name()
    {
        var refusal = Assert.Throws<ArgumentException>(() => Serializer.FromBinary("{}"u8.ToArray(), "uq.not-invented-yet"));

        Assert.Contains("'uq.not-invented-yet'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("newer version", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"task\":\"one\"}")]
    [InlineData("{\"task\":1")]
    [InlineData("{\"task\":1,\"atMs\":1}")]
    [InlineData("{\"task\":1,\"seqs\":null,\"atMs\":1}")]
    [InlineData("{\"seqs\":[],\"atMs\":1}")]
    [InlineData("{\"task\":1,\"seqs\":[\"7-3\"],\"atMs\":1}")]
    [InlineData("{\"task\":1,\"seqs\":[\"-3\"],\"atMs\":1}")]
    public void Bytes_that_are_not_the_message_are_refused(string json) =>
        Assert.ThrowsAny<Exception>(() => Serializer.FromBinary(Encoding.UTF8.GetBytes(json), "uq.failed-retried"));

    [Fact]
    public void A_member_of_a_newer_version_is_skipped() => Assert.Equal(
        new TaskPaused(new TaskId(1), 2),
        Serializer.FromBinary("{\"task\":1,\"because\":{\"of\":[3]},\"atMs\":2}"u8.ToArray(), "uq.task-paused"));

    [Fact]
    public void Half_a_surrogate_pair_costs_the_character_and_not_the_journal()
    {
        var read = (Refused)Serializer.FromBinary(Serializer.ToBinary(new Refused(RefusalCode.Invalid, "cut \ud83c")), "a.refused");

        Assert.Equal("cut \ufffd", read.Message);
    }

    /// <summary>The real configuration, so that every serializer that runs beside ours is there.</summary>
    public sealed class RunningNode : IAsyncLifetime
    {
        private readonly TempFolder folder = new();

        internal EngineNode Node { get; private set; } = null!;

        public async Task InitializeAsync() => Node = await EngineNode.StartAsync(folder.Path, new MadeUpWorld());

        public async Task DisposeAsync()
        {
            await Node.DisposeAsync();
            folder.Dispose();
        }
    }

    private sealed record Stranger(string Name);

    private sealed record Unlisted : IEdmMessage;
}
