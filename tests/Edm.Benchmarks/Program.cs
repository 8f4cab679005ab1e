using Edm.Benchmarks;
using Edm.Benchmarks.Hangfire;
using Edm.Benchmarks.Idle;
using Edm.Benchmarks.Import;
using Edm.Benchmarks.Memory;
using Edm.Benchmarks.Recover;
using Edm.Benchmarks.Scale;
using Edm.Benchmarks.Segments;
using Edm.Benchmarks.Send;
using Edm.Benchmarks.Tags;
using Edm.Benchmarks.Wait;

IBenchmark[] benchmarks =
[
    new SendBenchmark(), new HangfireBenchmark(), new ScaleBenchmark(), new WaitBenchmark(), new RecoverBenchmark(), new MemoryBenchmark(), new IdleBenchmark(),
    new ImportBenchmark(), new TagsBenchmark(), new SegmentsBenchmark(),
];

if (args is [] or ["list"] or ["--help"])
{
    foreach (var benchmark in benchmarks)
    {
        Console.WriteLine($"{benchmark.Name,-14} {benchmark.Summary}");
        foreach (var (option, meaning) in benchmark.Options)
        {
            Console.WriteLine($"               --{option,-14} {meaning}");
        }
    }

    return 0;
}

var chosen = benchmarks.FirstOrDefault(b => b.Name == args[0]);
if (chosen is null)
{
    Console.Error.WriteLine($"There is no benchmark '{args[0]}'; 'list' names them.");
    return 2;
}

try
{
    var arguments = BenchmarkArguments.Parse(args[1..], [.. chosen.Options.Select(o => o.Name)]);
    await foreach (var figure in chosen.RunAsync(arguments))
    {
        Console.WriteLine(figure.ToJson());
    }
}
catch (UsageException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

return 0;
