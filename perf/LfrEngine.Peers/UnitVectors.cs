using System.Runtime.InteropServices;

namespace LfrEngine.Peers;

/// <summary>Random directions, evenly spread: the hardest galleries for a search that prunes, since nothing is like anything.</summary>
internal static class UnitVectors
{
    /// <summary>Writes float32 rows, no header.</summary>
    public static void Write(string path, int seed, int count, int length)
    {
        using FileStream file = File.Create(path, 1 << 20);
        var random = new Random(seed);
        var vector = new float[length];
        for (int row = 0; row < count; row++)
        {
            Fill(random, vector);
            file.Write(MemoryMarshal.AsBytes(vector.AsSpan()));
        }
    }

    private static void Fill(Random random, Span<float> vector)
    {
        // Marsaglia's polar method: two normal deviates at a time.
        double squares = 0;
        for (int i = 0; i < vector.Length; i += 2)
        {
            double u, v, s;
            do
            {
                u = (2 * random.NextDouble()) - 1;
                v = (2 * random.NextDouble()) - 1;
                s = (u * u) + (v * v);
            }
            while (s is >= 1 or 0);
            double factor = Math.Sqrt(-2 * Math.Log(s) / s);
            vector[i] = (float)(u * factor);
            squares += vector[i] * (double)vector[i];
            if (i + 1 == vector.Length)
                break;
            vector[i + 1] = (float)(v * factor);
            squares += vector[i + 1] * (double)vector[i + 1];
        }
        double norm = Math.Sqrt(squares);
        foreach (ref float value in vector)
            value = (float)(value / norm);
    }
}
