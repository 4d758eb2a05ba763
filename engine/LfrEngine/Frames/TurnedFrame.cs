using LfrEngine.Detection;
using LfrEngine.Memory;
using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>A rotated copy of a frame in locked memory. The owner disposes it.</summary>
internal sealed unsafe class TurnedFrame : IDisposable
{
    private readonly HostBuffer<byte> samples;
    private readonly int degrees;

    /// <summary>Rotates a frame.</summary>
    /// <param name="frame">In host memory. Borrowed.</param>
    /// <param name="degrees">Clockwise: 90, 180 or 270.</param>
    public TurnedFrame(in FrameView frame, int degrees)
    {
        if (degrees is not (90 or 180 or 270))
            throw new ArgumentOutOfRangeException(nameof(degrees), degrees, "Frames can be rotated by 90, 180 or 270 degrees.");
        this.degrees = degrees;
        bool lies = degrees != 180;
        (int width, int height) = lies ? (frame.Height, frame.Width) : (frame.Width, frame.Height);
        // Planes subsampled in only one direction are written at full size, because there is no layout for them after rotation.
        PixelFormat format = frame.Format switch { PixelFormat.Nv12 => PixelFormat.I420, PixelFormat.I422 => PixelFormat.I444, _ => frame.Format };
        bool half = format == PixelFormat.I420;
        (int chromaWidth, int chromaHeight) = !frame.HasColour ? (0, 0) : half ? ((width + 1) / 2, (height + 1) / 2) : (width, height);
        int luma = checked(width * height), chroma = chromaWidth * chromaHeight;
        samples = BufferPool.Rent<byte>(checked(luma + (2 * chroma)));
        byte* y = samples.Pointer, u = y + luma, v = u + chroma;
        Turn(frame.Y, frame.LumaStride, 1, 0, y, width, height, degrees);
        if (frame.HasColour)
        {
            int doubled = frame.Format == PixelFormat.I422 ? 1 : 0;
            Turn(frame.U, frame.ChromaStride, frame.ChromaStep, doubled, u, chromaWidth, chromaHeight, degrees);
            Turn(frame.V, frame.ChromaStride, frame.ChromaStep, doubled, v, chromaWidth, chromaHeight, degrees);
        }
        View = new FrameView(format, width, height, [(nint)y, (nint)u, (nint)v], [width, chromaWidth, chromaWidth], frame.Matrix, frame.Range, ChromaLocation.Centre);
    }

    /// <summary>The planes; valid while this lives.</summary>
    public FrameView View { get; }

    /// <summary>Maps a box of the rotated frame to the original frame.</summary>
    /// <param name="box">Pixels of <see cref="View"/>.</param>
    public FaceBox ToSource(in FaceBox box) => degrees switch
    {
        90 => new FaceBox(box.Top, View.Width - box.Right, box.Bottom, View.Width - box.Left),
        180 => new FaceBox(View.Width - box.Right, View.Height - box.Bottom, View.Width - box.Left, View.Height - box.Top),
        _ => new FaceBox(View.Height - box.Bottom, box.Left, View.Height - box.Top, box.Right),
    };

    public void Dispose() => samples.Dispose();

    // doubled: each column of the source is written twice.
    private static void Turn(byte* source, int sourceStride, int step, int doubled, byte* destination, int width, int height, int degrees)
    {
        for (int row = 0; row < height; row++)
        {
            byte* to = destination + ((long)row * width);
            for (int column = 0; column < width; column++)
            {
                (int x, int y) = degrees switch
                {
                    90 => (row, width - 1 - column),
                    180 => (width - 1 - column, height - 1 - row),
                    _ => (height - 1 - row, column),
                };
                to[column] = source[((long)y * sourceStride) + ((x >> doubled) * step)];
            }
        }
    }
}
