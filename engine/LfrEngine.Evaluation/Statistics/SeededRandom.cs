namespace LfrEngine.Evaluation.Statistics;

/// <summary>SplitMix64 (Steele, Lea and Flood, 2014): the same numbers from the same seed on every machine and runtime.</summary>
/// <param name="seed">Any value.</param>
internal sealed class SeededRandom(ulong seed)
{
    private ulong state = seed;

    public ulong NextBits() => Mix(state += 0x9E3779B97F4A7C15);

    /// <summary>Mixes the bits of a number.</summary>
    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 (inclusive) to 1 (exclusive).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>0 (inclusive) to <paramref name="limit"/> (exclusive).</summary>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return (int)Math.BigMul(NextBits(), (ulong)limit, out _);
    }

    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Puts items into random order.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int other = Next(i + 1);
            (items[i], items[other]) = (items[other], items[i]);
        }
    }

    /// <summary>A separate generator for one purpose, so that more draws for one purpose do not change those for another.</summary>
    public static SeededRandom For(ulong seed, string purpose)
    {
        // FNV-1a over the characters.
        ulong hash = 14695981039346656037;
        foreach (char c in purpose)
            hash = (hash ^ c) * 1099511628211;
        return new SeededRandom(seed ^ hash);
    }
}
