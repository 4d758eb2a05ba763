using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using Xunit;

namespace LfrEngine.Tests.Frames;

public sealed unsafe class PictureTests
{
    [Theory]
    [InlineData(PixelFormat.I420, ColourMatrix.Bt709, ColourRange.Limited)]
    [InlineData(PixelFormat.Nv12, ColourMatrix.Bt601, ColourRange.Limited)]
    [InlineData(PixelFormat.I422, ColourMatrix.Bt2020, ColourRange.Full)]
    [InlineData(PixelFormat.I444, ColourMatrix.Bt601, ColourRange.Full)]
    public void Paint_FlatFrame_KeepsItsColour(PixelFormat format, ColourMatrix matrix, ColourRange range)
    {
        foreach ((double r, double g, double b) in new[] { (200.0, 150.0, 120.0), (0.0, 0.0, 0.0), (255.0, 255.0, 255.0), (40.0, 90.0, 160.0) })
        {
            TestFrame frame = new TestFrame(format, 61, 43, matrix, range, ChromaLocation.Left, padding: 2).Paint((_, _) => (r, g, b));
            using var picture = new Picture(24, 24);
            // Inside, partly outside and wholly outside: an edge repeats.
            foreach (FaceBox region in new[] { new FaceBox(5, 5, 30, 30), new FaceBox(-20, -10, 15.5f, 25.5f), new FaceBox(200, 200, 300, 300) })
            {
                picture.Paint(frame.View, region, 0, 24);
                (double ey, double ecb, double ecr) = Requantised(matrix, range, r, g, b);
                FrameView view = picture.View;
                for (int i = 0; i < 24 * 24; i++)
                {
                    Assert.Equal(ey, view.Y[i], 1.0);
                    Assert.Equal(ecb, view.U[i], 1.0);
                    Assert.Equal(ecr, view.V[i], 1.0);
                }
            }
        }
    }

    [Fact]
    public void Paint_RegionPartlyOutside_RepeatsTheEdge()
    {
        TestFrame frame = new TestFrame(PixelFormat.I444, 40, 40).Paint((x, _) => (x < 1 ? 250 : 50, x < 1 ? 250 : 50, x < 1 ? 250 : 50));
        using var picture = new Picture(20, 20);
        picture.Paint(frame.View, new FaceBox(-10, 0, 10, 20), 0, 20);
        FrameView view = picture.View;
        for (int x = 0; x < 20; x++)
            Assert.Equal(x <= 10 ? 250 : 50, view.Y[(10 * 20) + x]);
    }

    [Fact]
    public void Paint_TwoHalves_LieSideBySide()
    {
        TestFrame dark = new TestFrame(PixelFormat.Grey, 30, 30).Paint((_, _) => (40, 40, 40));
        TestFrame light = new TestFrame(PixelFormat.Grey, 30, 30).Paint((_, _) => (210, 210, 210));
        using var picture = new Picture(20, 10);
        picture.Paint(dark.View, new FaceBox(0, 0, 30, 30), 0, 10);
        picture.Paint(light.View, new FaceBox(0, 0, 30, 30), 10, 10);
        using Picture copy = picture.Copy();
        FrameView view = copy.View;
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(i % 20 < 10 ? 40 : 210, view.Y[i]);
            Assert.Equal(128, view.U[i]);
            Assert.Equal(128, view.V[i]);
        }
    }

    [Fact]
    public void Picture_BadArguments_Throw()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Picture(0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Picture(4, -1));
        FrameView view = new TestFrame(PixelFormat.Grey, 8, 8).View;
        using var picture = new Picture(8, 8);
        Assert.Throws<ArgumentOutOfRangeException>(() => picture.Paint(view, new FaceBox(0, 0, 8, 8), -1, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => picture.Paint(view, new FaceBox(0, 0, 8, 8), 5, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => picture.Paint(view, new FaceBox(4, 0, 4, 8), 0, 4));
        picture.Dispose();
        Assert.Throws<ObjectDisposedException>(() => picture.View.Width);
    }

    /// <summary>What the frame's 8-bit samples hold, as BT.601 full range.</summary>
    private static (double Y, double Cb, double Cr) Requantised(ColourMatrix matrix, ColourRange range, double r, double g, double b)
    {
        (double y, double cb, double cr) = ColourMath.FromRgb(matrix, range, r, g, b);
        (y, cb, cr) = (Math.Round(y), Math.Round(cb), Math.Round(cr));
        (double kr, double kb) = ColourMath.Weights(matrix);
        bool limited = range == ColourRange.Limited;
        double luma = limited ? (y - 16) * 255 / 219 : y, scale = limited ? 255.0 / 224 : 1;
        double red = Math.Clamp(luma + (2 * (1 - kr) * (cr - 128) * scale), 0, 255), blue = Math.Clamp(luma + (2 * (1 - kb) * (cb - 128) * scale), 0, 255);
        double green = Math.Clamp((luma - (kr * (luma + (2 * (1 - kr) * (cr - 128) * scale))) - (kb * (luma + (2 * (1 - kb) * (cb - 128) * scale)))) / (1 - kr - kb), 0, 255);
        return ColourMath.FromRgb(ColourMatrix.Bt601, ColourRange.Full, red, green, blue);
    }
}
