using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>One face onto the recognition grid. CPU stage: <see cref="Alignment.FaceAligner"/>, whose arithmetic this repeats in the same order.</summary>
/// <remarks>One thread per grid pixel; the frame is bytes, four to a word.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.XY)]
internal readonly partial struct AlignShader(
    ReadWriteBuffer<uint> frame,
    ReadWriteBuffer<float> destination,
    int size,
    float originX,
    float originY,
    float rightX,
    float rightY,
    float downX,
    float downY,
    float scaleX,
    float scaleY,
    float offsetX,
    float offsetY,
    int samples,
    int chromaSamples,
    FramePlanes planes,
    InputColour colour) : IComputeShader
{
    public void Execute()
    {
        int x = ThreadIds.X;
        int y = ThreadIds.Y;
        int plane = size * size;
        int at = (y * size) + x;
        float luma = Sample(x, y, 1f, 1f, 0f, 0f, planes.Width, planes.Height, 0, planes.LumaPitch, 1, samples);
        float cb = Sample(x, y, scaleX, scaleY, offsetX, offsetY, planes.ChromaWidth, planes.ChromaHeight, planes.FirstU, planes.ChromaPitch, planes.ChromaStep, chromaSamples);
        float cr = Sample(x, y, scaleX, scaleY, offsetX, offsetY, planes.ChromaWidth, planes.ChromaHeight, planes.FirstV, planes.ChromaPitch, planes.ChromaStep, chromaSamples);
        Float3 channels = InputColour.Channels(luma, cb, cr, colour);
        destination[at] = channels.X;
        destination[at + plane] = channels.Y;
        destination[at + (2 * plane)] = channels.Z;
    }

    // The mean of count × count samples of one plane under this grid pixel.
    private float Sample(int column, int row, float planeScaleX, float planeScaleY, float planeOffsetX, float planeOffsetY, int samplesX, int samplesY, int offset, int pitch, int step, int count)
    {
        float perRightX = (rightX - originX) * planeScaleX;
        float perRightY = (rightY - originY) * planeScaleY;
        float perDownX = (downX - originX) * planeScaleX;
        float perDownY = (downY - originY) * planeScaleY;
        float startX = (originX * planeScaleX) + planeOffsetX - 0.5f;
        float startY = (originY * planeScaleY) + planeOffsetY - 0.5f;
        float sum = 0;
        for (int j = 0; j < count; j++)
        {
            float gridY = row + ((j + 0.5f) / count);
            for (int i = 0; i < count; i++)
            {
                float gridX = column + ((i + 0.5f) / count);
                float x = Hlsl.Clamp(startX + (gridX * perRightX) + (gridY * perDownX), 0f, samplesX - 1f);
                float y = Hlsl.Clamp(startY + (gridX * perRightY) + (gridY * perDownY), 0f, samplesY - 1f);
                int left = (int)x;
                int top = (int)y;
                float fx = x - left;
                float fy = y - top;
                int right = Hlsl.Min(left + 1, samplesX - 1);
                int upper = offset + (top * pitch);
                int lower = offset + (Hlsl.Min(top + 1, samplesY - 1) * pitch);
                float upperLeft = Byte(upper + (left * step));
                float lowerLeft = Byte(lower + (left * step));
                float above = upperLeft + (fx * (Byte(upper + (right * step)) - upperLeft));
                float below = lowerLeft + (fx * (Byte(lower + (right * step)) - lowerLeft));
                sum += above + (fy * (below - above));
            }
        }
        return sum * (1f / (count * count));
    }

    private float Byte(int index) => (frame[index >> 2] >> ((index & 3) * 8)) & 255u;
}
