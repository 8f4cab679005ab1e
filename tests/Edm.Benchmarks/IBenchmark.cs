namespace Edm.Benchmarks;

/// <summary>One thing worth measuring, beside a named baseline in the same run.</summary>
internal interface IBenchmark
{
    string Name { get; }

    string Summary { get; }

    IReadOnlyList<(string Name, string Meaning)> Options { get; }

    IAsyncEnumerable<Figure> RunAsync(BenchmarkArguments arguments);
}
