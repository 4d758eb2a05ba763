using LfrEngine.Quality;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

/// <summary>Photos are held to limits; a face that a camera saw is only described.</summary>
public sealed class PhotoGateTests
{
    // InterEyePixels, Sharpness, Brightness, Clipped, YawDegrees, PitchDegrees, RollDegrees, Cover, Plausibility, Score
    private static readonly FaceQuality Poor = new(12.6f, 0.01f, 20, 0.6f, 70, -65, 0, 0, 3, 0.1f);

    [Fact]
    public void Judge_PoorPhoto_NamesTheLimits()
    {
        List<string> reasons = [];

        Assert.Equal(PhotoVerdict.Rejected, PhotoGate.Judge(Poor, reasons));

        Assert.Equal(["12 pixels between the eyes; at least 20 are needed", "too blurred", "too dark", "most of it is black or overexposed",
            "turned too far to the side, by about 70 degrees", "tilted too far up or down, by about 65 degrees"], reasons);
    }

    [Fact]
    public void Describe_PoorFaceOfACamera_NamesNoLimitOfPhotos()
    {
        List<string> shortcomings = [];

        PhotoGate.Describe(Poor, shortcomings);

        Assert.Equal(["12 pixels between the eyes", "very blurred", "very dark", "most of it is black or overexposed",
            "turned far to the side, by about 70 degrees", "tilted far up or down, by about 65 degrees"], shortcomings);
    }
}
