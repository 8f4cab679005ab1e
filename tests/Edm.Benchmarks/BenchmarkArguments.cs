using System.Globalization;

namespace Edm.Benchmarks;

/// <summary>The <c>--name value</c> pairs of a command line; a name that the benchmark does not know is refused.</summary>
internal sealed class BenchmarkArguments
{
    private readonly Dictionary<string, string> values = [];

    public static BenchmarkArguments Parse(string[] args, IReadOnlyCollection<string> known)
    {
        var parsed = new BenchmarkArguments();
        for (var i = 0; i < args.Length; i += 2)
        {
            var name = args[i].StartsWith("--", StringComparison.Ordinal) ? args[i][2..] : "";
            if (!known.Contains(name))
            {
                throw new UsageException($"Unknown option '{args[i]}'; there are: {string.Join(", ", known.Select(k => "--" + k))}.");
            }

            parsed.values[name] = i + 1 < args.Length ? args[i + 1] : throw new UsageException($"Option '{args[i]}' needs a value.");
        }

        return parsed;
    }

    public string Text(string name, string otherwise) => values.GetValueOrDefault(name, otherwise);

    public int Number(string name, int otherwise) => !values.TryGetValue(name, out var text)
        ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new UsageException($"Option '--{name}' needs a whole number above 0, and got '{text}'.");
}

/// <summary>The command line asks for what there is not; the message says what there is.</summary>
internal sealed class UsageException(string message) : Exception(message);
