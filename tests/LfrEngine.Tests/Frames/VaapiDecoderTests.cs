using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Models;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>On a machine without a card: refused by name, or decoded in software with a message.</summary>
public sealed class VaapiDecoderTests
{
    private static readonly string Photo = TestModels.Catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg");

    [Fact]
    public void Open_WithoutACard_IsRefused()
    {
        Assert.SkipWhen(VaapiDecoder.Fault() is null, "There is a card.");
        MediaException refused = Assert.Throws<MediaException>(() => new VaapiDecoder().Open(Photo, SourceOptions.Default, isLive: false, null, TestContext.Current.CancellationToken));
        Assert.Equal(MediaError.NoDecoder, refused.Error);
        Assert.Contains("VAAPI", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--decode software", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WithFallBack_DecodesInSoftwareAndCounts()
    {
        Assert.SkipWhen(VaapiDecoder.Fault() is null, "There is a card.");
        var told = new List<string>();
        var decoder = new VaapiDecoder(told.Add);
        for (int i = 1; i <= 2; i++)
        {
            using ISourceReader reader = decoder.Open(Photo, SourceOptions.Default, isLive: false, null, TestContext.Current.CancellationToken);
            using var frame = new FrameLease();
            Assert.Equal(DecodeResult.Frame, reader.Read(frame));
            Assert.Equal(i, told.Count);
            Assert.Contains($"({i} so far)", told[^1], StringComparison.Ordinal);
        }
    }
}
