using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Frames;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

public sealed class PhotoFacesTests
{
    /// <summary>The largest face, unless another is nearly as large; then the one in the middle, if it is large enough for a portrait; else nobody knows.</summary>
    [Theory]
    [InlineData("80,70 to 180,190", 0)]
    [InlineData("80,70 to 180,190; 0,0 to 40,50", 0)]
    [InlineData("80,70 to 180,190; 0,60 to 80,160", 0)]
    [InlineData("0,60 to 100,180; 80,70 to 175,185", 1)]
    [InlineData("10,60 to 110,180; 140,60 to 240,180", -1)]
    [InlineData("95,90 to 155,160; 10,90 to 70,160; 180,90 to 240,160", -1)]
    [InlineData("90,70 to 160,180; 10,70 to 80,180; 170,70 to 240,180", -1)]
    [InlineData("90,70 to 160,180; 0,70 to 70,180; 180,70 to 250,180", 0)]
    [InlineData("0,0 to 90,110", 0)]
    [InlineData("", -1)]
    public void Meant_SoManyFaces_IsTheDominantOne(string faces, int expected) => Assert.Equal(expected, Photo(250, 250, faces).Meant());

    [Theory]
    [InlineData("10,10 to 50,60", "upper left (10,10 to 50,60)")]
    [InlineData("130,10 to 170,60", "top (130,10 to 170,60)")]
    [InlineData("250,80 to 290,130", "right (250,80 to 290,130)")]
    [InlineData("130,140 to 170,190; 130,80 to 170,130", "bottom (130,140 to 170,190) and middle (130,80 to 170,130)")]
    [InlineData("-20,150 to 20,220; 1,1 to 2,2; 1,1 to 2,2; 1,1 to 2,2; 1,1 to 2,2; 1,1 to 2,2", "lower left (-20,150 to 20,220), upper left (1,1 to 2,2), upper left (1,1 to 2,2), upper left (1,1 to 2,2) and 2 more")]
    public void Places_Faces_AreNamedWithTheirPixels(string faces, string expected) => Assert.Equal(expected, Photo(300, 200, faces).Places());

    [Fact]
    public void Places_WithoutOne_NamesTheOthers() => Assert.Equal("left (0,90 to 40,130)", Photo(300, 200, "100,50 to 200,150; 0,90 to 40,130").Places(without: 0));

    [Theory]
    [InlineData(150, 100, 0)]
    [InlineData(20, 100, 1)]
    [InlineData(110, 60, 2)]
    [InlineData(290, 10, -1)]
    public void At_APlace_IsTheSmallestFaceThere(int x, int y, int expected) =>
        Assert.Equal(expected, Photo(300, 200, "100,50 to 200,150; 0,90 to 40,130; 100,50 to 120,80").At(new PhotoPoint(x, y)));

    [Theory]
    [InlineData("190,125", 190, 125)]
    [InlineData(" 190  125 ", 190, 125)]
    [InlineData("190, 125", 190, 125)]
    [InlineData("190.9 125.0", 190, 125)]
    public void Parse_TwoNumbers_IsAPlace(string text, int x, int y)
    {
        Assert.True(PhotoPoint.TryParse(text, out PhotoPoint point));
        Assert.Equal(new PhotoPoint(x, y), point);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("190")]
    [InlineData("1,2,3")]
    [InlineData("-1,2")]
    [InlineData("left")]
    [InlineData("nan 5")]
    [InlineData("1e3 5")]
    [InlineData("99999999999,1")]
    public void Parse_AnythingElse_ReturnsNone(string? text) => Assert.False(PhotoPoint.TryParse(text, out _));

    /// <summary>A spot that is painted into a frame is found at the same place in the turned one, and its box leads back.</summary>
    [Theory]
    [InlineData(90)]
    [InlineData(180)]
    [InlineData(270)]
    public void ToSource_TurnedBox_LeadsBack(int degrees)
    {
        var frame = new TestFrame(PixelFormat.Grey, 60, 40);
        for (int y = 5; y < 12; y++)
            frame.Plane(0).Slice((y * 60) + 20, 9).Fill(255);
        using var turned = new TurnedFrame(frame.View, degrees);
        (int left, int top, int right, int bottom) = (int.MaxValue, int.MaxValue, 0, 0);
        for (int y = 0; y < turned.View.Height; y++)
        {
            for (int x = 0; x < turned.View.Width; x++)
            {
                if (Sample(turned.View, x, y) == 255)
                    (left, top, right, bottom) = (Math.Min(left, x), Math.Min(top, y), Math.Max(right, x + 1), Math.Max(bottom, y + 1));
            }
        }
        Assert.Equal(new FaceBox(20, 5, 29, 12), turned.ToSource(new FaceBox(left, top, right, bottom)));
    }

    private static unsafe byte Sample(FrameView view, int x, int y) => view.Y[(y * view.LumaStride) + x];

    private static PhotoFaces Photo(int width, int height, string faces) => new(width, height, [.. faces.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(text =>
    {
        int[] n = [.. text.Replace(" to ", ",", StringComparison.Ordinal).Split(',').Select(v => int.Parse(v, System.Globalization.CultureInfo.InvariantCulture))];
        return new PhotoFace(n[0], n[1], n[2], n[3]);
    })]);
}
