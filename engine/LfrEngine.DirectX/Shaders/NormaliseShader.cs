using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>Rows to unit length, and the length each had. CPU stage: the last step of <see cref="Embeddings.Embedder"/>.</summary>
/// <remarks>One thread per row: a batch is eight at the most, and 512 elements are no work.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct NormaliseShader(
    ReadWriteBuffer<float> rows,
    ReadWriteBuffer<float> unit,
    ReadWriteBuffer<float> norms,
    int length,
    int stride,
    float smallest) : IComputeShader
{
    public void Execute()
    {
        int row = ThreadIds.X;
        int first = row * length;
        float sum = 0;
        for (int i = 0; i < length; i++)
        {
            float value = rows[first + i];
            sum += value * value;
        }
        float norm = Hlsl.Sqrt(sum);
        norms[row] = norm;
        float divisor = Hlsl.Max(norm, smallest);
        for (int i = 0; i < length; i++)
            unit[(row * stride) + i] = rows[first + i] / divisor;
    }
}
