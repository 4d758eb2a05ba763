using ComputeSharp;

namespace LfrEngine.DirectX.Shaders;

/// <summary>What is made of a network's points, which stay on the device: eyes, nose and mouth, bounds, and how far they moved since the run before. CPU stages: <see cref="Alignment.LandmarkFinder"/>, <see cref="Alignment.FaceMesh"/>.</summary>
/// <remarks>One thread: 68 or 468 points are no work. The points lie at the beginning of their buffer; what comes back behind them.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct PointsShader(
    ReadWriteBuffer<float> output,
    ReadWriteBuffer<float> presence,
    ReadWriteBuffer<int> five,
    ReadWriteBuffer<float> points,
    int count,
    int stride,
    int turned,
    float originX,
    float originY,
    float rightX,
    float rightY,
    float downX,
    float downY) : IComputeShader
{
    /// <summary>Numbers that come back: bounds, five points, movement, cosine and sine of the eyes' angle, presence.</summary>
    public const int Told = 18;

    /// <summary>Points of an eye.</summary>
    public const int OfAnEye = 6;

    public void Execute()
    {
        float moved = 0;
        for (int i = 0; i < count; i++)
        {
            float outX = output[stride * i];
            float outY = output[(stride * i) + 1];
            float x = originX + (outX * rightX) + (outY * downX);
            float y = originY + (outX * rightY) + (outY * downY);
            float byX = points[2 * i] - x;
            float byY = points[(2 * i) + 1] - y;
            moved += Hlsl.Sqrt((byX * byX) + (byY * byY));
            points[2 * i] = x;
            points[(2 * i) + 1] = y;
        }

        int told = 2 * count;
        for (int eye = 0; eye < 2; eye++)
        {
            float x = 0;
            float y = 0;
            for (int i = 0; i < OfAnEye; i++)
            {
                int index = five[(eye * OfAnEye) + i];
                x += points[2 * index];
                y += points[(2 * index) + 1];
            }
            points[told + 4 + (2 * eye)] = x / OfAnEye;
            points[told + 5 + (2 * eye)] = y / OfAnEye;
        }
        for (int other = 0; other < 3; other++)
        {
            int index = five[(2 * OfAnEye) + other];
            points[told + 8 + (2 * other)] = points[2 * index];
            points[told + 9 + (2 * other)] = points[(2 * index) + 1];
        }

        float cos = 1f;
        float sin = 0f;
        if (turned != 0)
        {
            // From the middle between the corners of one eye to that of the other.
            float acrossX = (points[2 * five[OfAnEye]] + points[2 * five[OfAnEye + 1]] - points[2 * five[0]] - points[2 * five[1]]) / 2f;
            float acrossY = (points[(2 * five[OfAnEye]) + 1] + points[(2 * five[OfAnEye + 1]) + 1] - points[(2 * five[0]) + 1] - points[(2 * five[1]) + 1]) / 2f;
            float across = Hlsl.Sqrt((acrossX * acrossX) + (acrossY * acrossY));
            if (across > 0f)
            {
                cos = acrossX / across;
                sin = acrossY / across;
            }
        }
        float left = 1e30f;
        float top = 1e30f;
        float right = -1e30f;
        float bottom = -1e30f;
        for (int j = 0; j < count; j++)
        {
            float x = (points[2 * j] * cos) + (points[(2 * j) + 1] * sin);
            float y = (points[(2 * j) + 1] * cos) - (points[2 * j] * sin);
            left = Hlsl.Min(left, x);
            top = Hlsl.Min(top, y);
            right = Hlsl.Max(right, x);
            bottom = Hlsl.Max(bottom, y);
        }
        points[told] = left;
        points[told + 1] = top;
        points[told + 2] = right;
        points[told + 3] = bottom;
        points[told + 14] = moved;
        points[told + 15] = cos;
        points[told + 16] = sin;
        points[told + 17] = presence[0];
    }
}
