using System.Numerics.Tensors;

namespace LfrEngine.Perf;

/// <summary>Random directions.</summary>
internal static class UnitVectors
{
    /// <summary>Fills a vector of length 1.</summary>
    public static void Fill(Random random, Span<float> vector)
    {
        foreach (ref float element in vector)
            element = random.NextSingle() - 0.5f;
        TensorPrimitives.Divide(vector, MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(vector)), vector);
    }
}
