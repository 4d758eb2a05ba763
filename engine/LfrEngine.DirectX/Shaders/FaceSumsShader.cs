using ComputeSharp;
using LfrEngine.Cover;

namespace LfrEngine.DirectX.Shaders;

/// <summary>The last step: what comes back of an aligned face, the sums of all rows and the output of <see cref="CoverJudge"/>.</summary>
/// <remarks>One thread per number.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct FaceSumsShader(ReadWriteBuffer<float> face, ReadWriteBuffer<float> weights, int units) : IComputeShader
{
    public void Execute()
    {
        int number = ThreadIds.X;
        float sum = 0;
        if (number < FaceSums.PerRow)
        {
            for (int row = 0; row < FaceSums.Rows; row++)
                sum += face[FaceSums.FirstRow + (row * FaceSums.PerRow) + number];
        }
        else
        {
            int part = number - FaceSums.PerRow;
            int second = units * (CoverFeatures.Count + 1);
            sum = weights[second + (CoverWeights.Parts * units) + part];
            for (int unit = 0; unit < units; unit++)
                sum += weights[second + (part * units) + unit] * face[FaceSums.FirstUnit + unit];
            sum = 1f / (1f + Hlsl.Exp(-sum));
        }
        face[FaceSums.FirstTold + number] = sum;
    }
}
