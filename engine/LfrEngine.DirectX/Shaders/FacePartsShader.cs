using ComputeSharp;
using LfrEngine.Cover;
using LfrEngine.Quality;

namespace LfrEngine.DirectX.Shaders;

/// <summary>The first step of measuring an aligned face: sums of each row and features of each cell. CPU stages: <see cref="CropSums"/>, <see cref="CoverFeatures"/>.</summary>
/// <remarks>One thread per row, then one per cell.</remarks>
[GeneratedComputeShaderDescriptor]
[ThreadGroupSize(DefaultThreadGroupSizes.X)]
internal readonly partial struct FacePartsShader(ReadWriteBuffer<float> face, FaceColour colour) : IComputeShader
{
    private const int Size = FaceSums.Rows, Green = Size * Size;
    private const int CellHeight = Size / CoverFeatures.Rows, AllColumns = (2 * CoverFeatures.Columns) - 1, CellWidth = Size / AllColumns;

    public void Execute()
    {
        if (ThreadIds.X < FaceSums.Rows)
            SumRow(ThreadIds.X);
        else
            MeasureCell(ThreadIds.X - FaceSums.Rows);
    }

    private void SumRow(int y)
    {
        float sum = 0;
        float squares = 0;
        float laplacian = 0;
        float clipped = 0;
        if (y >= CropSums.FaceTop && y < CropSums.FaceBottom)
        {
            for (int x = CropSums.FaceLeft; x < CropSums.FaceRight; x++)
            {
                int at = Green + (y * Size) + x;
                float value = (face[at] * colour.GreenScale) + colour.GreenMean;
                float second = ((4f * face[at]) - face[at - 1] - face[at + 1] - face[at - Size] - face[at + Size]) * colour.GreenScale;
                if (value < 12f || value > 245f)
                    clipped += 1f;
                value -= FaceSums.Middle;
                sum += value;
                squares += value * value;
                laplacian += second * second;
            }
        }
        int to = FaceSums.FirstRow + (y * FaceSums.PerRow);
        face[to] = sum;
        face[to + 1] = squares;
        face[to + 2] = laplacian;
        face[to + 3] = clipped;
        for (int channel = 0; channel < 3; channel++)
        {
            face[to + 4 + channel] = SumOf(channel, y, CropSums.UpperLeft, CropSums.UpperRight, CropSums.UpperTop, CropSums.UpperBottom);
            face[to + 7 + channel] = SumOf(channel, y, CropSums.LowerLeft, CropSums.LowerRight, CropSums.LowerTop, CropSums.LowerBottom);
        }
    }

    private float SumOf(int channel, int y, int left, int right, int top, int bottom)
    {
        float sum = 0;
        if (y >= top && y < bottom)
        {
            for (int x = left; x < right; x++)
                sum += face[(channel * Green) + (y * Size) + x];
        }
        return sum;
    }

    // The cell on the left and the one that mirrors it; in the middle they are the same.
    private void MeasureCell(int cell)
    {
        int row = cell / CoverFeatures.Columns;
        int folded = cell - (row * CoverFeatures.Columns);
        float share = folded == CoverFeatures.Columns - 1 ? 1f : 0.5f;
        float luma = 0;
        float blueness = 0;
        float redness = 0;
        float detail = 0;
        for (int side = 0; side < 2; side++)
        {
            int column = side == 0 ? folded : AllColumns - 1 - folded;
            if (side == 0 || column != folded)
            {
                float red = 0;
                float green = 0;
                float blue = 0;
                float steps = 0;
                for (int y = row * CellHeight; y < (row + 1) * CellHeight; y++)
                {
                    int from = (y * Size) + (column * CellWidth);
                    int below = y + 1 < Size ? Size : 0;
                    for (int x = 0; x < CellWidth; x++)
                    {
                        int at = from + x;
                        red += face[colour.RedPlane + at];
                        green += face[Green + at];
                        blue += face[colour.BluePlane + at];
                        steps += Hlsl.Abs(face[Green + at + below] - face[Green + at]);
                        if (x > 0)
                            steps += Hlsl.Abs(face[Green + at] - face[Green + at - 1]);
                    }
                }
                float pixels = CellHeight * CellWidth;
                float r = (red * colour.RedScale / pixels) + colour.RedMean;
                float g = (green * colour.GreenScale / pixels) + colour.GreenMean;
                float b = (blue * colour.BlueScale / pixels) + colour.BlueMean;
                float grey = (0.299f * r) + (0.587f * g) + (0.114f * b);
                luma += share * grey;
                blueness += share * (b - grey) / 24f;
                redness += share * (r - grey) / 24f;
                detail += share * Hlsl.Log(1f + (steps * colour.GreenScale / (2f * pixels)));
            }
        }
        int to = FaceSums.FirstCell + (cell * FaceSums.PerCell);
        face[to] = luma;
        face[to + 1] = blueness;
        face[to + 2] = redness;
        face[to + 3] = detail;
    }
}
