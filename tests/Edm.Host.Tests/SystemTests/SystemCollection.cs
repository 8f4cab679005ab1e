using Edm.Testing.Servers;

namespace Edm.Host.Tests.SystemTests;

/// <summary>System tests start real daemons and time them: one after the other, and nothing of this assembly beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SystemCollection : ICollectionFixture<PostgresFixture>
{
    public const string Name = "System";
}
