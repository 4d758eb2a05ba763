using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>From Y′CbCr samples (0…255) to R′G′B′ (0…255): matrix and range of one stream.</summary>
/// <remarks>ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant luminance): K_R and K_B define everything else.</remarks>
internal readonly struct ColourConversion
{
    /// <summary>Makes the conversion for a matrix and range.</summary>
    public ColourConversion(ColourMatrix matrix, ColourRange range)
    {
        (float kr, float kb) = matrix switch
        {
            ColourMatrix.Bt601 => (0.299f, 0.114f),
            ColourMatrix.Bt709 => (0.2126f, 0.0722f),
            ColourMatrix.Bt2020 => (0.2627f, 0.0593f),
            _ => throw new ArgumentOutOfRangeException(nameof(matrix), matrix, "Known matrices are BT.601, BT.709 and BT.2020."),
        };
        float kg = 1 - kr - kb;
        bool limited = range == ColourRange.Limited;
        float chroma = limited ? 255f / 224f : 1f;
        LumaOffset = limited ? 16 : 0;
        LumaScale = limited ? 255f / 219f : 1f;
        RedFromCr = 2 * (1 - kr) * chroma;
        GreenFromCb = -2 * kb * (1 - kb) / kg * chroma;
        GreenFromCr = -2 * kr * (1 - kr) / kg * chroma;
        BlueFromCb = 2 * (1 - kb) * chroma;
    }

    /// <summary>Subtracted from Y′ before scaling.</summary>
    public float LumaOffset { get; }

    /// <summary>Y′ after the offset is multiplied by this.</summary>
    public float LumaScale { get; }

    /// <summary>R′ gains this times (Cr − 128).</summary>
    public float RedFromCr { get; }

    /// <summary>G′ gains this times (Cb − 128).</summary>
    public float GreenFromCb { get; }

    /// <summary>G′ gains this times (Cr − 128).</summary>
    public float GreenFromCr { get; }

    /// <summary>B′ gains this times (Cb − 128).</summary>
    public float BlueFromCb { get; }
}
