using ComputeSharp;
using LfrEngine.Cover;

namespace LfrEngine.DirectX.Shaders;

/// <summary>The second step: the hidden units of <see cref="CoverJudge"/> from the features of the cells, which each thread first sets in relation to this face as <see cref="CoverFeatures"/> does.</summary>
/// <remarks>One thread per unit. Weights: the first layer by unit, its biases, the second layer by part, its biases.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct CoverUnitsShader(ReadWriteBuffer<float> face, ReadWriteBuffer<float> weights, int units) : IComputeShader
{
    public void Execute()
    {
        int unit = ThreadIds.X;
        float sum = 0;
        float squares = 0;
        float textures = 0;
        for (int cell = 0; cell < FaceSums.Cells; cell++)
        {
            int at = FaceSums.FirstCell + (cell * FaceSums.PerCell);
            sum += face[at];
            squares += face[at] * face[at];
            textures += face[at + 3];
        }
        float mean = sum / FaceSums.Cells;
        float spread = Hlsl.Sqrt(Hlsl.Max(0f, (squares / FaceSums.Cells) - (mean * mean))) + 8f;
        float result = weights[(units * CoverFeatures.Count) + unit];
        for (int cell = 0; cell < FaceSums.Cells; cell++)
        {
            int at = FaceSums.FirstCell + (cell * FaceSums.PerCell);
            int weight = (unit * CoverFeatures.Count) + (cell * FaceSums.PerCell);
            result += weights[weight] * ((face[at] - mean) / spread);
            result += weights[weight + 1] * face[at + 1];
            result += weights[weight + 2] * face[at + 2];
            result += weights[weight + 3] * (face[at + 3] - (textures / FaceSums.Cells));
        }
        face[FaceSums.FirstUnit + unit] = Hlsl.Max(0f, result);
    }
}
