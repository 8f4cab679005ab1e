using Edm.Engine.Contacts;
using Edm.Engine.Imports;
using Edm.Engine.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Edm.Testing.Databases;

/// <summary>What imports into a test's database.</summary>
public static class ImportParts
{
    public static SuppressionStore Suppressions(TimeProvider time) => new(time, new SuppressionKey(new byte[32]));

    public static Importer Importer(EdmDatabase database, TimeProvider time) =>
        new(database, new ImportStore(database, time), Suppressions(time), time, NullLogger<Importer>.Instance);

    public static ImportRecovery Recovery(EdmDatabase database, TimeProvider time, Importer importer) =>
        new(database, new ImportStore(database, time), importer, time, NullLogger<ImportRecovery>.Instance);
}
