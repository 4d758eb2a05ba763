using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using Xunit;

namespace LfrEngine.Tests.Frames;

public sealed unsafe class FrameViewTests
{
    [Theory]
    [InlineData(PixelFormat.I420, ChromaLocation.Centre, 0.5f, 0.5f, 0f, 0f, 4, 3, 1)]
    [InlineData(PixelFormat.I420, ChromaLocation.Left, 0.5f, 0.5f, 0.25f, 0f, 4, 3, 1)]
    [InlineData(PixelFormat.I420, ChromaLocation.TopLeft, 0.5f, 0.5f, 0.25f, 0.25f, 4, 3, 1)]
    [InlineData(PixelFormat.Nv12, ChromaLocation.Left, 0.5f, 0.5f, 0.25f, 0f, 4, 3, 2)]
    [InlineData(PixelFormat.I422, ChromaLocation.Left, 0.5f, 1f, 0.25f, 0f, 4, 5, 1)]
    [InlineData(PixelFormat.I422, ChromaLocation.TopLeft, 0.5f, 1f, 0.25f, 0f, 4, 5, 1)]
    [InlineData(PixelFormat.I444, ChromaLocation.TopLeft, 1f, 1f, 0f, 0f, 7, 5, 1)]
    public void FrameView_OddSize_RoundsChromaUpAndKnowsItsPlace(PixelFormat format, ChromaLocation location,
        float scaleX, float scaleY, float offsetX, float offsetY, int width, int height, int step)
    {
        FrameView view = new TestFrame(format, 7, 5, location: location).View;
        Assert.Equal((scaleX, scaleY, offsetX, offsetY), (view.ChromaScaleX, view.ChromaScaleY, view.ChromaOffsetX, view.ChromaOffsetY));
        Assert.Equal((width, height, step), (view.ChromaWidth, view.ChromaHeight, view.ChromaStep));
        Assert.True(view.HasColour);
        if (format == PixelFormat.Nv12)
            Assert.Equal((nint)view.U + 1, (nint)view.V);
    }

    [Fact]
    public void FrameView_Grey_HasNoColour()
    {
        FrameView view = new TestFrame(PixelFormat.Grey, 7, 5).View;
        Assert.False(view.HasColour);
        Assert.Equal((0, 0), (view.ChromaWidth, view.ChromaHeight));
    }

    /// <summary>A colour ramp comes out as a ramp, in its place, wherever the stream puts its chroma samples.</summary>
    [Theory]
    [InlineData(PixelFormat.I420, ChromaLocation.Centre)]
    [InlineData(PixelFormat.I420, ChromaLocation.Left)]
    [InlineData(PixelFormat.I420, ChromaLocation.TopLeft)]
    [InlineData(PixelFormat.Nv12, ChromaLocation.Left)]
    [InlineData(PixelFormat.I422, ChromaLocation.Left)]
    [InlineData(PixelFormat.I444, ChromaLocation.Centre)]
    public void FrameView_ColourRamp_StaysWhereItIs(PixelFormat format, ChromaLocation location)
    {
        const int Width = 64, Height = 48;
        TestFrame frame = new TestFrame(format, Width, Height, ColourMatrix.Bt709, ColourRange.Limited, location, padding: 4)
            .Paint((x, y) => (60 + (2 * x), 60 + (2 * y), 190 - x - y));
        var input = new ModelInput("input", ChannelOrder.Rgb, [0, 0, 0], [1, 1, 1]);
        var tensor = new float[3 * Width * Height];
        using var letterbox = new Letterbox();
        fixed (float* t = tensor)
            letterbox.Fill(frame.View, LetterboxTransform.Fit(Width, Height, Width, Height), input, t);
        for (int y = 2; y < Height - 2; y++)
        {
            for (int x = 2; x < Width - 2; x++)
            {
                // Rounding of Y, Cb and Cr to 8 bits; a misplaced quarter of a chroma pixel would add 1 to 2 levels of bias.
                int at = (y * Width) + x;
                Assert.Equal(60 + (2 * (x + 0.5)), tensor[at], 2.2);
                Assert.Equal(60 + (2 * (y + 0.5)), tensor[(Width * Height) + at], 2.2);
                Assert.Equal(190 - (x + y + 1), tensor[(2 * Width * Height) + at], 2.2);
            }
        }
        double bias = 0;
        for (int y = 2; y < Height - 2; y++)
        {
            for (int x = 2; x < Width - 2; x++)
                bias += tensor[(y * Width) + x] - (60 + (2 * (x + 0.5)));
        }
        Assert.Equal(0, bias / ((Width - 4) * (Height - 4)), 0.25);
    }

    [Fact]
    public void FrameView_BadArguments_Throw()
    {
        nint[] three = [1, 1, 1];
        int[] strides = [8, 4, 4];
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameView(PixelFormat.I420, 0, 4, three, strides, default, default, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameView(PixelFormat.I420, 8, 0, three, strides, default, default, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameView(PixelFormat.I420, 8, 4, three.AsSpan(0, 2), strides, default, default, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameView(PixelFormat.Nv12, 8, 4, three, strides.AsSpan(0, 1), default, default, default));
    }
}
