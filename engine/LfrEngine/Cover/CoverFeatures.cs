using LfrEngine.Alignment;
using LfrEngine.Models;

namespace LfrEngine.Cover;

/// <summary>The input of <see cref="CoverJudge"/>: brightness, colour and texture of the cells of an aligned face, left and right halves averaged.</summary>
internal static unsafe class CoverFeatures
{
    /// <summary>Number of cells from top to bottom, and from the side to the middle.</summary>
    public const int Rows = 14, Columns = 4;

    public const int Count = Rows * Columns * Channels;

    private const int Channels = 4;
    private const int Size = AlignmentTransform.GridSize;
    private const int CellHeight = Size / Rows, CellWidth = Size / ((2 * Columns) - 1), AllColumns = (2 * Columns) - 1;

    /// <summary>Measures one face.</summary>
    /// <param name="crop">float32 [3, 112, 112] as <paramref name="input"/> says. Borrowed.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    /// <param name="features">Receives <see cref="Count"/> values. Per cell: luma relative to the mean and spread of this face, two chroma differences, and log texture. Biometric, so the caller wipes them. Borrowed.</param>
    public static void Measure(float* crop, ModelInput input, Span<float> features)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(features.Length, Count);
        bool bgr = input.Channels == ChannelOrder.Bgr;
        int redChannel = bgr ? 2 : 0, blueChannel = bgr ? 0 : 2;
        float* red = crop + (redChannel * Size * Size), green = crop + (Size * Size), blue = crop + (blueChannel * Size * Size);
        float redScale = 1 / input.Scale[redChannel], greenScale = 1 / input.Scale[1], blueScale = 1 / input.Scale[blueChannel];
        features.Clear();
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < AllColumns; column++)
            {
                float redSum = 0, greenSum = 0, blueSum = 0, texture = 0;
                for (int y = row * CellHeight; y < (row + 1) * CellHeight; y++)
                {
                    int at = (y * Size) + (column * CellWidth), below = y + 1 < Size ? at + Size : at;
                    for (int x = 0; x < CellWidth; x++)
                    {
                        redSum += red[at + x];
                        greenSum += green[at + x];
                        blueSum += blue[at + x];
                        // Green carries most of the luma.
                        texture += MathF.Abs(green[below + x] - green[at + x]);
                        if (x > 0)
                            texture += MathF.Abs(green[at + x] - green[at + x - 1]);
                    }
                }
                const float Pixels = CellHeight * CellWidth;
                float r = (redSum * redScale / Pixels) + input.Mean[redChannel], g = (greenSum * greenScale / Pixels) + input.Mean[1], b = (blueSum * blueScale / Pixels) + input.Mean[blueChannel];
                float luma = (0.299f * r) + (0.587f * g) + (0.114f * b);
                int folded = Math.Min(column, AllColumns - 1 - column);
                float share = folded == Columns - 1 ? 1 : 0.5f;
                Span<float> cell = features.Slice(((row * Columns) + folded) * Channels, Channels);
                cell[0] += share * luma;
                cell[1] += share * (b - luma) / 24;
                cell[2] += share * (r - luma) / 24;
                cell[3] += share * MathF.Log(1 + (texture * greenScale / (2 * Pixels)));
            }
        }
        float sum = 0, squares = 0, textures = 0;
        for (int cell = 0; cell < Rows * Columns; cell++)
        {
            sum += features[cell * Channels];
            squares += features[cell * Channels] * features[cell * Channels];
            textures += features[(cell * Channels) + 3];
        }
        float mean = sum / (Rows * Columns), spread = MathF.Sqrt(MathF.Max(0, (squares / (Rows * Columns)) - (mean * mean))) + 8;
        for (int cell = 0; cell < Rows * Columns; cell++)
        {
            features[cell * Channels] = (features[cell * Channels] - mean) / spread;
            features[(cell * Channels) + 3] -= textures / (Rows * Columns);
        }
    }
}
