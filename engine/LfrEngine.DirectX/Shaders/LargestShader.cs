using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>The largest value of each image: of hundreds of cells that may see a face the best counts. CPU stage: <see cref="Models.InferencePlan.RunLargest"/>.</summary>
/// <remarks>One thread per image; a few hundred values are no work.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct LargestShader(ReadWriteBuffer<float> values, ReadWriteBuffer<float> largest, int length) : IComputeShader
{
    public void Execute()
    {
        int first = ThreadIds.X * length;
        float best = values[first];
        for (int i = 1; i < length; i++)
            best = Hlsl.Max(best, values[first + i]);
        largest[ThreadIds.X] = best;
    }
}
