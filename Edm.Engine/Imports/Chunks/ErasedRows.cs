using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Storage;

namespace Edm.Engine.Imports.Chunks;

/// <summary>Of a refused row that is an erased person's nothing is kept but that it was refused: it may be refused for something else than the address that stands in it.</summary>
internal static class ErasedRows
{
    private const string Reason = "this person was erased, and the row is not kept";

    private static readonly char[] Separators = [.. " \t\r\n,;|/<>()[]{}\"'，；、:"];

    /// <summary>Rows that look like holding addresses are few, and where the user has erased nobody none is looked up.</summary>
    public static async Task<List<RefusedRow>> WithoutAsync(EdmConnection connection, UserId user, List<RefusedRow> rows, SuppressionStore suppressions, CancellationToken cancellation)
    {
        var keys = rows.ConvertAll(row => KeysIn(row.Original).Concat(KeysIn(row.Problem.Value)).ToArray());
        var suppressed = await suppressions.FindAsync(connection, user, keys.SelectMany(key => key).Distinct(), cancellation);
        return suppressed.Count == 0 ? rows : [.. rows.Select((row, i) => keys[i].Any(IsErased) ? new RefusedRow(row.Nr, row.Problem with { Value = "", Reason = Reason }, Original: null) : row)];

        bool IsErased(string key) => suppressed.TryGetValue(key, out var reason) && reason == SuppressionReason.Erased;
    }

    private static IEnumerable<string> KeysIn(string? text)
    {
        if (text?.Contains('@', StringComparison.Ordinal) != true)
        {
            return [];
        }

        return text.Split(Separators, StringSplitOptions.RemoveEmptyEntries).Where(part => part.Contains('@', StringComparison.Ordinal))
            .Select(part => EmailAddress.TryParse(part.Trim('.', '\\'), out var address) ? address.Key : "").Where(key => key.Length > 0);
    }
}
