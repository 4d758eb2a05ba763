using System.Globalization;
using System.Reflection;
using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace LfrEngine.Perf;

/// <summary>The least work that a benchmark's result needs: every input byte read once and every output byte written once; multiplications and additions.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class WorkAttribute(double bytes, double flops) : Attribute
{
    public double Bytes { get; } = bytes;

    public double Flops { get; } = flops;
}

/// <summary>What this machine can do at the most: bytes through memory, and multiply-adds in registers, on one thread.</summary>
[BenchmarkCategory("Peaks")]
public unsafe class Peaks
{
    private const int CopyBytes = 64 << 20;
    private const int Rounds = 4096, Accumulators = 12;

    private byte[] source = [], destination = [];

    [GlobalSetup]
    public void Setup()
    {
        source = new byte[CopyBytes];
        destination = new byte[CopyBytes];
        Random.Shared.NextBytes(source);
    }

    /// <summary>Larger than the caches; reading and writing both count.</summary>
    [Benchmark]
    [Work(2.0 * CopyBytes, 0)]
    public void MemoryCopy() => source.AsSpan().CopyTo(destination);

    /// <summary>Independent chains of the widest vectors.</summary>
    [Benchmark]
    [Work(0, 2.0 * 16 * Accumulators * Rounds)]
    public Vector512<float> MultiplyAdd()
    {
        Vector512<float> a0 = Vector512<float>.One, a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0, a11 = a0;
        Vector512<float> factor = Vector512.Create(0.999f), term = Vector512.Create(0.001f);
        for (int i = 0; i < Rounds; i++)
        {
            a0 = Vector512.FusedMultiplyAdd(a0, factor, term);
            a1 = Vector512.FusedMultiplyAdd(a1, factor, term);
            a2 = Vector512.FusedMultiplyAdd(a2, factor, term);
            a3 = Vector512.FusedMultiplyAdd(a3, factor, term);
            a4 = Vector512.FusedMultiplyAdd(a4, factor, term);
            a5 = Vector512.FusedMultiplyAdd(a5, factor, term);
            a6 = Vector512.FusedMultiplyAdd(a6, factor, term);
            a7 = Vector512.FusedMultiplyAdd(a7, factor, term);
            a8 = Vector512.FusedMultiplyAdd(a8, factor, term);
            a9 = Vector512.FusedMultiplyAdd(a9, factor, term);
            a10 = Vector512.FusedMultiplyAdd(a10, factor, term);
            a11 = Vector512.FusedMultiplyAdd(a11, factor, term);
        }
        return a0 + a1 + a2 + a3 + a4 + a5 + a6 + a7 + a8 + a9 + a10 + a11;
    }
}

/// <summary>The rate at which a benchmark does its <see cref="WorkAttribute"/>, or its share of a peak measured in the same run.</summary>
public sealed class BoundColumn(string name, Func<WorkAttribute, double> work, string peak, bool share) : IColumn
{
    public string Id => name;

    public string ColumnName => name;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => share ? $"share of {peak}; above 100 % the data came from a cache" : $"10^9 per second, of the least that is needed";

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style)
    {
        double? rate = Rate(summary, benchmarkCase);
        if (rate is null || !share)
            return rate?.ToString("0.0", CultureInfo.InvariantCulture) ?? "";
        BenchmarkCase? bound = summary.BenchmarksCases.FirstOrDefault(b => b.Descriptor.Type == typeof(Peaks) && b.Descriptor.WorkloadMethod.Name == peak);
        return bound is null ? "?" : (rate / Rate(summary, bound))?.ToString("0 %", CultureInfo.InvariantCulture) ?? "?";
    }

    private double? Rate(Summary summary, BenchmarkCase benchmarkCase)
    {
        WorkAttribute? done = benchmarkCase.Descriptor.WorkloadMethod.GetCustomAttribute<WorkAttribute>();
        // BenchmarkDotNet counts in nanoseconds: work per nanosecond is 10⁹ per second.
        return done is null || work(done) == 0 ? null : work(done) / summary[benchmarkCase]?.ResultStatistics?.Median;
    }
}
