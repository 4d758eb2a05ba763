using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>A tensor of half the scale: the mean of 2 × 2. CPU stage: <see cref="Detection.Letterbox.Halve"/>, in the same order of summation.</summary>
/// <remarks>One thread per grid pixel and channel.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.XY)]
internal readonly partial struct HalveShader(
    ReadWriteBuffer<float> source,
    int sourceWidth,
    int sourceHeight,
    ReadWriteBuffer<float> destination,
    int width,
    int height) : IComputeShader
{
    public void Execute()
    {
        int x = ThreadIds.X;
        int y = ThreadIds.Y;
        int channel = ThreadIds.Z;
        int at = (((channel * height) + y) * width) + x;
        if ((2 * x) + 1 >= sourceWidth || (2 * y) + 1 >= sourceHeight)
        {
            destination[at] = 0;
            return;
        }
        int from = (((channel * sourceHeight) + (2 * y)) * sourceWidth) + (2 * x);
        destination[at] = 0.25f * (source[from] + source[from + 1] + source[from + sourceWidth] + source[from + sourceWidth + 1]);
    }
}
