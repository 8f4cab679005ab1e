using Edm.Testing.Databases;
using LinqToDB.Data;
using LinqToDB.Mapping;
using Xunit;

namespace Edm.Engine.Tests.Storage;

public sealed class EdmMappingTests() : DatabaseTests(new SqliteDatabases())
{
    // Used here and nowhere else: once a type has been queried as a table, its names are known in any case.
    private sealed class NeverQueriedAsATable
    {
        [Column] public long CreatedAt { get; init; }
    }

    [Fact]
    public async Task Rows_of_a_statement_written_as_text_have_snake_case_columns_too()
    {
        var rows = await Database.RunAsync(c => c.QueryToListAsync<NeverQueriedAsATable>("SELECT 7 AS created_at"));

        Assert.Equal(7, rows[0].CreatedAt);
    }
}
