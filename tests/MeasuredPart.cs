using System.Security.Cryptography;
using System.Text;

namespace LfrEngine.Tests;

/// <summary>Tests that measure accuracy over many pictures take a fixed part of them, and all with LFR_TEST_ALL=1.</summary>
internal static class MeasuredPart
{
    /// <summary>Whether all pictures are measured.</summary>
    public static bool IsWhole { get; } = Environment.GetEnvironmentVariable("LFR_TEST_ALL") is "1";

    /// <summary>The same <paramref name="count"/> items every time, as if drawn by lot: those whose names have the smallest hashes. In their order.</summary>
    public static T[] Of<T>(IReadOnlyCollection<T> all, int count, Func<T, string> name) => IsWhole
        ? [.. all]
        : [.. all.Index().OrderBy(i => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name(i.Item)))), StringComparer.Ordinal).Take(count).OrderBy(i => i.Index).Select(i => i.Item)];
}
