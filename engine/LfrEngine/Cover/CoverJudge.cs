using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LfrEngine.Models;

namespace LfrEngine.Cover;

/// <summary>Judges which parts of an aligned face are covered. Stateless.</summary>
/// <remarks>
/// A small network over <see cref="CoverFeatures"/>. <c>lfr-lab cover-judge</c> fits it on covers drawn over half of the people of LFW and on half of the
/// real masked faces, and measures it on the other halves, with the laboratory's own covers. It takes about a hundredth of the time of an embedding.
/// </remarks>
internal static unsafe class CoverJudge
{
    /// <summary>Judges one face.</summary>
    /// <param name="crop">float32 [3, 112, 112] as <paramref name="input"/> says. Borrowed.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    public static CoverJudgement Judge(float* crop, ModelInput input)
    {
        Span<float> features = stackalloc float[CoverFeatures.Count];
        CoverFeatures.Measure(crop, input, features);
        CoverJudgement judged = Judge(features, CoverWeights.Default);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(features));
        return judged;
    }

    /// <summary>Judges with other weights, for example while they are being fitted.</summary>
    /// <param name="features">From <see cref="CoverFeatures.Measure"/>. Borrowed.</param>
    /// <param name="weights">The weights to use.</param>
    public static CoverJudgement Judge(ReadOnlySpan<float> features, CoverWeights weights)
    {
        Span<float> hidden = stackalloc float[weights.Hidden];
        for (int h = 0; h < weights.Hidden; h++)
            hidden[h] = MathF.Max(0, weights.FirstBias[h] + TensorPrimitives.Dot(features, weights.First.AsSpan(h * CoverFeatures.Count, CoverFeatures.Count)));
        float Probability(int part, Span<float> units) =>
            1 / (1 + MathF.Exp(-(weights.SecondBias[part] + TensorPrimitives.Dot(units, weights.Second.AsSpan(part * weights.Hidden, weights.Hidden)))));
        var judged = new CoverJudgement(Probability(0, hidden), Probability(1, hidden), Probability(2, hidden));
        hidden.Clear();
        return judged;
    }
}
