using Edm.Testing.Servers;
using Xunit;

namespace Edm.Engine.Tests;

[CollectionDefinition(PostgresFixture.Collection)]
public sealed class PostgresCollection : ICollectionFixture<PostgresFixture>;
