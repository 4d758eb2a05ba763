using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>The few anchors of a detector that score, out of thousands, side by side: what comes back to the processor. CPU stage: the scan of <see cref="Detection.Heads.ScoreScan"/>.</summary>
/// <remarks>One thread per anchor. The first word is how many score; then, for each, its number, its score and its other values, bit by bit. Their order is the scheduler's.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct PickShader(
    ReadWriteBuffer<float> scores,
    ReadWriteBuffer<float> second,
    ReadWriteBuffer<float> third,
    ReadWriteBuffer<int> picked,
    int scoreWidth,
    int scoreElement,
    int secondWidth,
    int thirdWidth,
    int capacity,
    float minimum) : IComputeShader
{
    public void Execute()
    {
        int anchor = ThreadIds.X;
        float score = scores[(anchor * scoreWidth) + scoreElement];
        if (score >= minimum)
        {
            Hlsl.InterlockedAdd(ref picked[0], 1, out int place);
            if (place < capacity)
            {
                int at = 1 + (place * (2 + secondWidth + thirdWidth));
                picked[at] = anchor;
                picked[at + 1] = Hlsl.AsInt(score);
                at += 2;
                for (int j = 0; j < secondWidth; j++)
                    picked[at + j] = Hlsl.AsInt(second[(anchor * secondWidth) + j]);
                at += secondWidth;
                for (int k = 0; k < thirdWidth; k++)
                    picked[at + k] = Hlsl.AsInt(third[(anchor * thirdWidth) + k]);
            }
        }
    }
}
