using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>An aligned face into its place in the embedder's batch, with one tone above its brow if that is blanked (<see cref="Cover.BrowBlank"/>).</summary>
/// <remarks>One thread per element. A copy command would be a list of its own for each face, and would leave the brow.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct PlaceShader(
    ReadWriteBuffer<float> face,
    ReadWriteBuffer<float> batch,
    int first,
    int plane,
    int blank,
    float tone0,
    float tone1,
    float tone2) : IComputeShader
{
    public void Execute()
    {
        int at = ThreadIds.X;
        int channel = at / plane;
        float value = face[at];
        if (at - (channel * plane) < blank)
            value = channel == 0 ? tone0 : channel == 1 ? tone1 : tone2;
        batch[first + at] = value;
    }
}
