using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LfrEngine.Detection.Heads;

/// <summary>Finds the few proposals of a network that are worth decoding: of 14,100 anchors on a street some fifty are.</summary>
/// <remarks>Sixteen scores at a time; where there are no 512-bit vectors, the runtime uses narrower ones (AVX2, NEON).</remarks>
internal static class ScoreScan
{
    private const int Lanes = 16;

    /// <summary>The first index from <paramref name="start"/> on whose score is at least <paramref name="minimum"/>; the number of scores if there is none. NaN is never found.</summary>
    /// <param name="scores">One value per place, or pairs of which the second is the score.</param>
    /// <param name="start">A place.</param>
    /// <param name="paired">Whether scores come in pairs (background, face).</param>
    /// <param name="minimum">Inclusive.</param>
    public static int Next(ReadOnlySpan<float> scores, int start, bool paired, float minimum)
    {
        int step = paired ? 2 : 1;
        ulong wanted = paired ? 0xAAAAu : 0xFFFFu;
        int at = start * step;
        ref float first = ref MemoryMarshal.GetReference(scores);
        for (Vector512<float> limit = Vector512.Create(minimum); at <= scores.Length - Lanes; at += Lanes)
        {
            ulong found = Vector512.GreaterThanOrEqual(Vector512.LoadUnsafe(ref Unsafe.Add(ref first, at)), limit).ExtractMostSignificantBits() & wanted;
            if (found != 0)
                return (at + BitOperations.TrailingZeroCount(found)) / step;
        }
        return ScalarNext(scores, at / step, paired, minimum);
    }

    /// <summary>The reference: one place at a time.</summary>
    public static int ScalarNext(ReadOnlySpan<float> scores, int start, bool paired, float minimum)
    {
        int step = paired ? 2 : 1, places = scores.Length / step;
        for (int place = start; place < places; place++)
        {
            if (scores[(place * step) + step - 1] >= minimum)
                return place;
        }
        return places;
    }
}
