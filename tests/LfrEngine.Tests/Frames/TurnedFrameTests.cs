using LfrEngine.Frames;
using LfrEngine.Native.Media;
using Xunit;

namespace LfrEngine.Tests.Frames;

/// <summary>Turned copies, sample by sample.</summary>
public sealed unsafe class TurnedFrameTests
{
    [Theory]
    [InlineData(PixelFormat.Grey)]
    [InlineData(PixelFormat.I420)]
    [InlineData(PixelFormat.I422)]
    [InlineData(PixelFormat.I444)]
    [InlineData(PixelFormat.Nv12)]
    public void Turn_ThenTheRestOfTheWayRound_IsTheFrameAgain(PixelFormat format)
    {
        const int Width = 14, Height = 10;
        var samples = new byte[Width * Height * 3];
        new Random(1).NextBytes(samples);
        fixed (byte* first = samples)
        {
            int chromaStride = format switch { PixelFormat.I444 or PixelFormat.Nv12 => Width, _ => Width / 2 };
            var view = new FrameView(format, Width, Height, [(nint)first, (nint)first + (Width * Height), (nint)first + (2 * Width * Height)], [Width, chromaStride, chromaStride],
                ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre);
            foreach (int degrees in (int[])[90, 180, 270])
            {
                using var turned = new TurnedFrame(view, degrees);
                using var back = new TurnedFrame(turned.View, 360 - degrees);
                Assert.Equal(degrees == 180 ? (Width, Height) : (Height, Width), (turned.View.Width, turned.View.Height));
                for (int y = 0; y < Height; y++)
                {
                    for (int x = 0; x < Width; x++)
                    {
                        Assert.Equal(view.Y[(y * view.LumaStride) + x], back.View.Y[(y * back.View.LumaStride) + x]);
                        if (format != PixelFormat.Grey)
                            Assert.Equal(Chroma(view, x, y), Chroma(back.View, x, y));
                    }
                }
            }
        }
    }

    [Fact]
    public void Turn_NinetyDegrees_TheFirstRowIsTheLastColumn()
    {
        byte[] samples = [1, 2, 3, 4, 5, 6];
        fixed (byte* first = samples)
        {
            using var turned = new TurnedFrame(new FrameView(PixelFormat.Grey, 3, 2, [(nint)first], [3], ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre), 90);

            Assert.Equal([4, 1, 5, 2, 6, 3], new ReadOnlySpan<byte>(turned.View.Y, 6).ToArray());
        }
    }

    private static (byte, byte) Chroma(in FrameView view, int x, int y)
    {
        long at = ((long)(int)(y * view.ChromaScaleY) * view.ChromaStride) + ((int)(x * view.ChromaScaleX) * view.ChromaStep);
        return (view.U[at], view.V[at]);
    }
}
