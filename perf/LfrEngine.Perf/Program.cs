using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using LfrEngine.Perf;
using Perfolizer.Horology;

switch (args)
{
    case ["export", var folder]:
        GraphExport.Write(folder);
        return 0;
    case ["models", .. var rest]:
        return NetworkTimes.Run(rest);
    case ["search", .. var rest]:
        return SearchTimes.Run(rest);
    case ["search-list", var list, var key]:
        return ListSearchTime.Run(list, key);
    case ["all-pairs", .. var rest]:
        return AllPairsTimes.Run(rest);
    case ["pixelation", .. var rest]:
        return PixelationCheck.Run(rest);
}

// One table of everything, so that the bounds are measured in the run that quotes them. In this process: as `lfr` is built, on its native libraries.
ManualConfig config = ManualConfig.CreateEmpty()
    .AddLogger(ConsoleLogger.Default)
    .AddExporter(MarkdownExporter.GitHub)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance).WithClock(OperatingSystem.IsLinux() ? new ThreadClock() : Chronometer.BestClock).WithIterationTime(TimeInterval.FromMilliseconds(100)).WithWarmupCount(3).WithIterationCount(15))
    .AddColumnProvider(DefaultColumnProviders.Descriptor, DefaultColumnProviders.Params, DefaultColumnProviders.Metrics)
    .AddColumn(StatisticColumn.Median, BaselineRatioColumn.RatioMean)
    .AddColumn(new BoundColumn("GB/s", w => w.Bytes, nameof(Peaks.MemoryCopy), share: false), new BoundColumn("of memcpy", w => w.Bytes, nameof(Peaks.MemoryCopy), share: true))
    .AddColumn(new BoundColumn("GFLOP/s", w => w.Flops, nameof(Peaks.MultiplyAdd), share: false), new BoundColumn("of FMA", w => w.Flops, nameof(Peaks.MultiplyAdd), share: true))
    .AddLogicalGroupRules(BenchmarkLogicalGroupRule.ByCategory)
    .WithArtifactsPath(Path.Combine("build", "benchmarks"))
    .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile);
BenchmarkSwitcher.FromAssembly(typeof(Peaks).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
return 0;
