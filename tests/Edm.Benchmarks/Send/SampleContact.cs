using System.Globalization;

namespace Edm.Benchmarks.Send;

/// <summary>Invented creators, the same ones in every run: number n always has the same face.</summary>
internal sealed record SampleContact(string Email, string Handle, string Nickname, long Followers, string Country, string Language, string Category, string Bio)
{
    private static readonly string[] FirstNames = ["Mia", "Noah", "Zoë", "Ayşe", "Lukas", "Chloé", "Mateo", "Ines", "Yuki", "Olu"];
    private static readonly string[] Categories = ["hiking", "cooking", "street photography", "home repair", "running", "gardening", "chess"];
    private static readonly (string Country, string Language)[] Places = [("US", "en"), ("DE", "de"), ("FR", "fr"), ("TR", "tr"), ("BR", "pt"), ("JP", "ja")];

    public static SampleContact Number(int n)
    {
        var (country, language) = Places[n % Places.Length];
        var handle = string.Create(CultureInfo.InvariantCulture, $"creator.{n}");
        var name = FirstNames[n % FirstNames.Length];
        var category = Categories[n % Categories.Length];
        return new SampleContact($"{handle}@example.test", handle, name, 1_000 + (n * 7_919L % 2_000_000), country, language, category, $"{name} makes videos about {category}. Business by mail.");
    }

    /// <summary>A file for POST /v1/imports.</summary>
    public static void WriteCsv(string file, int count)
    {
        using var csv = new StreamWriter(file);
        csv.Write("email,handle,nickname,followers,country,language,category,bio\n");
        for (var n = 1; n <= count; n++)
        {
            var c = Number(n);
            csv.Write(string.Create(CultureInfo.InvariantCulture, $"{c.Email},{c.Handle},{c.Nickname},{c.Followers},{c.Country},{c.Language},{c.Category},{c.Bio}\n"));
        }
    }
}
