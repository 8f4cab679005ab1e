using System.Globalization;
using Edm.Benchmarks.Send;

namespace Edm.Benchmarks.Import;

/// <summary>A list as creator tools export it: 12 columns, one of which has three of 200 tags.</summary>
internal static class CreatorList
{
    public const string Columns = "email,handle,nickname,followers,country,language,category,bio,tags,views,likes,city";

    private const int Tags = 200;

    public static void Write(string file, int rows)
    {
        using var csv = new StreamWriter(file);
        csv.Write(Columns + "\n");
        for (var n = 1; n <= rows; n++)
        {
            var c = SampleContact.Number(n);
            csv.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"list.{c.Email},{c.Handle},{c.Nickname},{c.Followers},{c.Country},{c.Language},{c.Category},{c.Bio},tag{Tag(n, 0)};tag{Tag(n, 1)};tag{Tag(n, 2)},{n * 31L % 100_000},{n * 17L % 50_000},city{n % 500}\n"));
        }
    }

    // Three different ones, spread as if by chance.
    private static long Tag(int n, int which) => ((n * 2_654_435_761L >> (7 * which)) + (67 * which)) % Tags;
}
