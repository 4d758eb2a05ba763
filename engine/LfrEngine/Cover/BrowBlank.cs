using LfrEngine.Alignment;
using LfrEngine.Models;

namespace LfrEngine.Cover;

/// <summary>What is done with the area above the brow before a face is embedded.</summary>
public enum BrowTreatment
{
    /// <summary>It is left as it is, as in the photos of a watchlist.</summary>
    Kept,

    /// <summary>It is blanked if the brow, and only the brow, is judged to be covered, as for faces from a camera.</summary>
    BlankIfCovered,

    /// <summary>It is always blanked.</summary>
    Blank,
}

/// <summary>Fills everything above the brow of an aligned face with one tone. Hair, caps and hats differ there and say nothing about identity.</summary>
/// <remarks>
/// A probe of which only the brow is covered is compared with templates that were blanked in the same way. Average TPIR at FPIR 10, 5, 2 and 1 % on half of
/// the people of LFW: .874 without and .880 with blanking under the laboratory's caps, .681 and .733 with hair over the brow (docs/cover.md).
/// </remarks>
internal static unsafe class BrowBlank
{
    /// <summary>Rows of the grid above the brow, which lies 0.3 eye distances above the eyes.</summary>
    public const int Rows = 41;

    // As dark as a cap in the shade. Mid-grey was no better.
    private const float Tone = 40;

    /// <summary>The tone in a channel of a crop.</summary>
    public static float ToneOf(int channel, ModelInput input) => (Tone - input.Mean[channel]) * input.Scale[channel];

    /// <summary>Blanks the rows above the brow.</summary>
    /// <param name="crop">float32 [3, 112, 112] as <paramref name="input"/> says. Borrowed.</param>
    /// <param name="input">Channel order and normalisation of the crop.</param>
    public static void Apply(float* crop, ModelInput input)
    {
        for (int channel = 0; channel < input.ChannelCount; channel++)
        {
            float value = ToneOf(channel, input);
            new Span<float>(crop + (channel * AlignmentTransform.GridSize * AlignmentTransform.GridSize), Rows * AlignmentTransform.GridSize).Fill(value);
        }
    }
}
