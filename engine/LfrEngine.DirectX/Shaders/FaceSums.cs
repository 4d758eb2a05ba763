using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Models;

namespace LfrEngine.DirectX.Shaders;

/// <summary>Where the sums over an aligned face lie behind it in its buffer.</summary>
internal static class FaceSums
{
    /// <summary>Rows of the grid, each summed by one thread.</summary>
    public const int Rows = AlignmentTransform.GridSize;

    /// <summary>Cells of <see cref="CoverFeatures"/>, left and right halves together, each measured by one thread.</summary>
    public const int Cells = CoverFeatures.Rows * CoverFeatures.Columns;

    /// <summary>Threads of the first step.</summary>
    public const int Parts = Rows + Cells;

    /// <summary>Sums of a row: value, square, Laplacian squared and clipped pixels of the texture, three channels under the eyes, three of mouth and chin.</summary>
    public const int PerRow = 10;

    /// <summary>Features of a cell.</summary>
    public const int PerCell = CoverFeatures.Count / Cells;

    /// <summary>The first sum of the first row.</summary>
    public const int FirstRow = FaceAligner.CropLength;

    /// <summary>The first feature of the first cell.</summary>
    public const int FirstCell = FirstRow + (Rows * PerRow);

    /// <summary>The hidden units of <see cref="CoverJudge"/>.</summary>
    public const int FirstUnit = FirstCell + CoverFeatures.Count;

    /// <summary>Room for hidden units.</summary>
    public const int MostUnits = 64;

    /// <summary>The numbers that come back.</summary>
    public const int FirstTold = FirstUnit + MostUnits;

    /// <summary>How many they are: the ten sums, and the probability that each of three parts is covered.</summary>
    public const int Told = PerRow + CoverWeights.Parts;

    /// <summary>Elements behind the face.</summary>
    public const int Length = FirstTold + Told - FaceAligner.CropLength;

    /// <summary>Texture is summed about this.</summary>
    public const float Middle = 128;
}

/// <summary>From a crop's values back to 0…255: a shader's constants.</summary>
internal struct FaceColour
{
    public int RedPlane, BluePlane;
    public float RedScale, GreenScale, BlueScale;
    public float RedMean, GreenMean, BlueMean;

    public static FaceColour Of(ModelInput input)
    {
        int red = input.Channels == ChannelOrder.Bgr ? 2 : 0, blue = 2 - red;
        return new FaceColour
        {
            RedPlane = red * FaceSums.Rows * FaceSums.Rows,
            BluePlane = blue * FaceSums.Rows * FaceSums.Rows,
            RedScale = 1 / Of(input.Scale, red),
            GreenScale = 1 / Of(input.Scale, 1),
            BlueScale = 1 / Of(input.Scale, blue),
            RedMean = Of(input.Mean, red),
            GreenMean = Of(input.Mean, 1),
            BlueMean = Of(input.Mean, blue),
        };
    }

    // One value may stand for all channels.
    private static float Of(float[] values, int channel) => values[Math.Min(channel, values.Length - 1)];
}
