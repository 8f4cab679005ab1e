using System.Globalization;
using Edm.Engine.Storage;
using LinqToDB;
using LinqToDB.Data;

namespace Edm.Engine.Campaigns;

/// <summary>A list of seqs as one parameter, so that the statement's text is the same for every batch and is prepared once.</summary>
internal static class SeqList
{
    /// <summary>The test that stands behind a column of seqs.</summary>
    public static string In(EdmConnection connection) => connection.IsPostgres ? "= ANY(@seqs)" : "IN (SELECT value FROM json_each(@seqs))";

    public static DataParameter Parameter(EdmConnection connection, IReadOnlyList<int> seqs) => connection.IsPostgres
        ? new DataParameter("seqs", seqs as int[] ?? [.. seqs])
        : new DataParameter("seqs", $"[{string.Join(',', seqs.Select(seq => seq.ToString(CultureInfo.InvariantCulture)))}]", DataType.Text);
}
