using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>Cosines of probes with every row of the gallery; returns the pairs at or above a limit. CPU stage: <see cref="Matching.CosineSearch"/>, which rescores the pairs.</summary>
/// <remarks>
/// One thread per row and group of four probes. The gallery is packed half, two elements to a word, stored by element pair [D / 2, N], so that
/// neighbouring threads read neighbouring words; probes are float32 [4 · groups, D], D even. No group-shared memory, no barriers; the order of the pairs found
/// is the scheduler's and means nothing.
/// </remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct MatchShader(
    ReadWriteBuffer<uint> gallery,
    ReadWriteBuffer<float> probes,
    ReadWriteBuffer<int> hits,
    int rows,
    int pairs,
    int probeCount,
    int capacity,
    float limit) : IComputeShader
{
    public void Execute()
    {
        int row = ThreadIds.X;
        int group = ThreadIds.Y;
        float score0 = 0;
        float score1 = 0;
        float score2 = 0;
        float score3 = 0;
        for (int pair = 0; pair < pairs; pair++)
        {
            uint packed = gallery[(pair * rows) + row];
            float low = Hlsl.Float16ToFloat32(packed & 0xFFFFu);
            float high = Hlsl.Float16ToFloat32(packed >> 16);
            int at = ((group * 4 * pairs) + pair) * 2;
            score0 += (low * probes[at]) + (high * probes[at + 1]);
            at += 2 * pairs;
            score1 += (low * probes[at]) + (high * probes[at + 1]);
            at += 2 * pairs;
            score2 += (low * probes[at]) + (high * probes[at + 1]);
            at += 2 * pairs;
            score3 += (low * probes[at]) + (high * probes[at + 1]);
        }
        Tell(row, (group * 4) + 0, score0);
        Tell(row, (group * 4) + 1, score1);
        Tell(row, (group * 4) + 2, score2);
        Tell(row, (group * 4) + 3, score3);
    }

    // Hits that do not fit are only counted: the caller enlarges the buffer and repeats the search.
    private void Tell(int row, int probe, float score)
    {
        if (probe < probeCount && score >= limit)
        {
            // The first word is the number of pairs.
            Hlsl.InterlockedAdd(ref hits[0], 1, out int place);
            if (place < capacity)
            {
                hits[1 + (2 * place)] = row;
                hits[2 + (2 * place)] = probe;
            }
        }
    }
}
