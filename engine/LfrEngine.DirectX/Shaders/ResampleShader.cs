using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>A rectangle of a frame onto a grid with an antialiased triangle filter, converted and normalised: the GPU's Letterbox, and its PlaneResampler with ColourKernel.</summary>
/// <remarks>
/// One thread per grid pixel. The frame is bytes, four to a word. CPU stages: <see cref="Detection.Letterbox"/>, <see cref="Frames.PlaneResampler"/>,
/// <see cref="Frames.ColourKernel"/>; weights are made in float32 where the processor makes them in double, so results differ by rounding.
/// </remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.XY)]
internal readonly partial struct ResampleShader(
    ReadWriteBuffer<uint> frame,
    ReadWriteBuffer<float> destination,
    int first,
    float left,
    float top,
    float stepX,
    float stepY,
    float chromaLeft,
    float chromaTop,
    float chromaStepX,
    float chromaStepY,
    int gridWidth,
    int gridHeight,
    int imageWidth,
    int imageHeight,
    int mode,
    int transposed,
    FramePlanes planes,
    InputColour colour) : IComputeShader
{
    /// <summary>Three planes of channels.</summary>
    public const int Channels = 0;

    /// <summary>One plane of luma.</summary>
    public const int Grey = 1;

    /// <summary>Y′, Cb, Cr as they are.</summary>
    public const int Raw = 2;

    public void Execute()
    {
        int x = ThreadIds.X;
        int y = ThreadIds.Y;
        int plane = gridWidth * gridHeight;
        int at = first + (y * gridWidth) + x;
        if (transposed != 0)
            at = first + (x * gridHeight) + y;
        if (x >= imageWidth || y >= imageHeight)
        {
            // Padding is the networks' middle value.
            destination[at] = 0;
            if (mode != Grey)
            {
                destination[at + plane] = 0;
                destination[at + (2 * plane)] = 0;
            }
            return;
        }

        float luma = Average(x, y, left, top, stepX, stepY, planes.Width, planes.Height, 0, planes.LumaPitch, 1);
        if (mode == Grey)
        {
            destination[at] = InputColour.Grey(luma, colour);
            return;
        }
        float cb = Average(x, y, chromaLeft, chromaTop, chromaStepX, chromaStepY, planes.ChromaWidth, planes.ChromaHeight, planes.FirstU, planes.ChromaPitch, planes.ChromaStep);
        float cr = Average(x, y, chromaLeft, chromaTop, chromaStepX, chromaStepY, planes.ChromaWidth, planes.ChromaHeight, planes.FirstV, planes.ChromaPitch, planes.ChromaStep);
        Float3 values = new(luma, cb, cr);
        if (mode != Raw)
            values = InputColour.Channels(luma, cb, cr, colour);
        destination[at] = values.X;
        destination[at + plane] = values.Y;
        destination[at + (2 * plane)] = values.Z;
    }

    // The triangle reaches one source sample to either side, or one grid step where that is more; samples outside the plane repeat its edge.
    private float Average(int gridX, int gridY, float fromX, float fromY, float perX, float perY, int samplesX, int samplesY, int offset, int pitch, int step)
    {
        float supportX = Hlsl.Max(1f, perX);
        float supportY = Hlsl.Max(1f, perY);
        float centreX = fromX + ((gridX + 0.5f) * perX) - 0.5f;
        float centreY = fromY + ((gridY + 0.5f) * perY) - 0.5f;
        int firstX = (int)Hlsl.Floor(centreX - supportX) + 1;
        int firstY = (int)Hlsl.Floor(centreY - supportY) + 1;
        int lastX = (int)Hlsl.Floor(centreX + supportX);
        int lastY = (int)Hlsl.Floor(centreY + supportY);
        float sum = 0;
        float total = 0;
        for (int sampleY = firstY; sampleY <= lastY; sampleY++)
        {
            float weightY = Hlsl.Max(0f, 1f - (Hlsl.Abs(sampleY - centreY) / supportY));
            int row = offset + (Hlsl.Clamp(sampleY, 0, samplesY - 1) * pitch);
            for (int sampleX = firstX; sampleX <= lastX; sampleX++)
            {
                float weight = weightY * Hlsl.Max(0f, 1f - (Hlsl.Abs(sampleX - centreX) / supportX));
                int index = row + (Hlsl.Clamp(sampleX, 0, samplesX - 1) * step);
                uint value = (frame[index >> 2] >> ((index & 3) * 8)) & 255u;
                sum += weight * value;
                total += weight;
            }
        }
        return sum / total;
    }
}
