using LfrEngine.Detection;
using LfrEngine.Memory;
using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>A small still picture cut from a frame: planar Y, Cb, Cr at full size, BT.601 full range, in locked memory. The owner disposes it.</summary>
public sealed unsafe class Picture : IDisposable
{
    /// <summary>Cells across a face that is hidden, and their smallest side, pixels: coarse enough that the engine's own embedder, given the true landmarks, no longer recognises the person (LiveViewTests).</summary>
    internal const int CellsAcross = 4, SmallestCell = 16;

    private const float RoomHidden = 1.5f;

    private readonly HostBuffer<byte> memory;

    // What the picture shows, as long as it lies on a device and nobody has looked.
    private IKeptRegion? kept;
    private ColourConversion keptColour;

    /// <summary>Allocates a black picture.</summary>
    public Picture(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        Width = width;
        Height = height;
        memory = BufferPool.Rent<byte>(3 * width * height);
        memory.Span[(width * height)..].Fill(128);
    }

    private HostBuffer<byte> Samples
    {
        get
        {
            if (kept is not null)
                Bring();
            return memory;
        }
    }

    /// <summary>Pixels.</summary>
    public int Width { get; }

    /// <summary>Pixels.</summary>
    public int Height { get; }

    /// <summary>The planes, for reading; valid while the picture lives.</summary>
    public FrameView View
    {
        get
        {
            nint origin = (nint)Samples.Pointer, plane = Width * Height;
            return new FrameView(PixelFormat.I444, Width, Height, [origin, origin + plane, origin + (2 * plane)], [Width, Width, Width],
                ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre);
        }
    }

    /// <summary>Cuts a region out of a frame and scales it to fill the picture; outside the frame its edge is repeated.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="region">Frame pixels.</param>
    /// <param name="left">Left edge of the region in this picture, pixels.</param>
    /// <param name="width">Width of the region in this picture, pixels; its height is the picture's.</param>
    /// <param name="scratch">Working memory to reuse when painting often; null allocates it for this call.</param>
    public void Paint(in FrameView frame, in FaceBox region, int left, int width, PaintScratch? scratch = null)
    {
        if (scratch is null)
        {
            using var own = new PaintScratch(width, Height);
            Paint(frame, region, left, width, own);
            return;
        }
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(left + width, Width);
        ArgumentOutOfRangeException.ThrowIfLessThan(scratch.Planes.Length, 3 * width * Height, nameof(scratch));
        RegionSampler.Resample(frame, region, width, Height, scratch.Resampler, scratch.Planes.Pointer);
        Convert(scratch.Planes, frame.Colour, left, width);
    }

    /// <summary>As <see cref="Paint"/> over the whole picture. Of a frame on a device nothing comes to host memory before somebody looks at the picture.</summary>
    internal void PaintWhenSeen(in FrameView frame, in FaceBox region, PaintScratch scratch)
    {
        LetGo();
        if (frame.Surface is { } surface)
            (kept, keptColour) = (surface.Keep(frame, region, Width, Height), frame.Colour);
        else
            Paint(frame, region, 0, Width, scratch);
    }

    private void Bring()
    {
        using HostBuffer<float> planes = BufferPool.Rent<float>(3 * Width * Height);
        kept!.Read(planes.Pointer);
        LetGo();
        Convert(planes, keptColour, 0, Width);
    }

    private void LetGo()
    {
        kept?.Dispose();
        kept = null;
    }

    // Wipes what it was made from.
    private void Convert(HostBuffer<float> planes, in ColourConversion colour, int left, int width)
    {
        float* y = planes.Pointer, u = y + (width * Height), v = u + (width * Height);
        byte* planeY = Samples.Pointer + left, planeU = planeY + (Width * Height), planeV = planeU + (Width * Height);
        for (int row = 0; row < Height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                int from = (row * width) + column, to = (row * Width) + column;
                float luma = (y[from] - colour.LumaOffset) * colour.LumaScale, cb = u[from] - 128, cr = v[from] - 128;
                float red = Math.Clamp(luma + (cr * colour.RedFromCr), 0, 255);
                float green = Math.Clamp(luma + (cb * colour.GreenFromCb) + (cr * colour.GreenFromCr), 0, 255);
                float blue = Math.Clamp(luma + (cb * colour.BlueFromCb), 0, 255);
                float grey = (0.299f * red) + (0.587f * green) + (0.114f * blue);
                planeY[to] = (byte)(grey + 0.5f);
                planeU[to] = (byte)Math.Clamp(((blue - grey) / 1.772f) + 128.5f, 0, 255);
                planeV[to] = (byte)Math.Clamp(((red - grey) / 1.402f) + 128.5f, 0, 255);
            }
        }
        planes.Wipe();
    }

    /// <summary>The picture as a JPEG file, in locked memory that the caller owns.</summary>
    /// <param name="quality">1 (small) to 100 (best).</param>
    /// <param name="sizeBytes">Bytes of the file at the start of the buffer.</param>
    public HostBuffer<byte> EncodeJpeg(int quality, out int sizeBytes)
    {
        using var encoder = new ImageEncoder(ImageCodec.Jpeg, quality);
        return Encode(encoder, out sizeBytes);
    }

    /// <summary>The picture as a file, in locked memory that the caller owns.</summary>
    /// <param name="encoder">Borrowed; for pictures of this size.</param>
    /// <param name="sizeBytes">Bytes of the file at the start of the buffer.</param>
    public HostBuffer<byte> Encode(ImageEncoder encoder, out int sizeBytes)
    {
        int plane = Width * Height;
        ImagePlanes planes = ImagePlanes.Yuv(PixelFormat.I444, Samples.Span[..plane], Samples.Span.Slice(plane, plane), Samples.Span.Slice(2 * plane, plane), Width, Height, Width, Width);
        HostBuffer<byte> file = BufferPool.Rent<byte>(ImageEncoder.MaxSizeBytes(Width, Height));
        try
        {
            if (!encoder.TryEncode(planes, file.Span, out sizeBytes))
                throw new InvalidOperationException($"A {Width}x{Height} picture needs {sizeBytes} bytes, which is too large.");
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Replaces a region by square cells, each in the mean colour of its pixels.</summary>
    /// <param name="region">Picture pixels; the part outside the picture is ignored.</param>
    /// <param name="cell">Side of a cell, pixels, 1 or more.</param>
    public void Pixelate(in FaceBox region, int cell)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(cell, 1);
        (int left, int top, int right, int bottom) = Within(region);
        for (int plane = 0; plane < 3; plane++)
        {
            Span<byte> values = Samples.Span.Slice(plane * Width * Height, Width * Height);
            for (int y = top; y < bottom; y += cell)
            {
                int rows = Math.Min(cell, bottom - y);
                for (int x = left; x < right; x += cell)
                {
                    int columns = Math.Min(cell, right - x), sum = 0;
                    for (int row = y; row < y + rows; row++)
                    {
                        foreach (byte value in values.Slice((row * Width) + x, columns))
                            sum += value;
                    }
                    byte mean = (byte)(sum / (rows * columns));
                    for (int row = y; row < y + rows; row++)
                        values.Slice((row * Width) + x, columns).Fill(mean);
                }
            }
        }
    }

    /// <summary>Pixelates a face with half its width around it, so coarsely that the engine's own embedder does not know it.</summary>
    /// <param name="face">Its box, frame pixels.</param>
    /// <param name="scale">Picture pixels per frame pixel.</param>
    public void PixelateFace(in FaceBox face, float scale)
    {
        FaceBox box = Around(face, scale, RoomHidden);
        Pixelate(box, Math.Max(SmallestCell, (int)MathF.Ceiling(Math.Max(box.Width, box.Height) / CellsAcross)));
    }

    /// <summary>A face's box in a picture, times so much around its middle.</summary>
    internal static FaceBox Around(in FaceBox face, float scale, float room)
    {
        float x = (face.Left + face.Right) / 2 * scale, y = (face.Top + face.Bottom) / 2 * scale;
        float halfWidth = face.Width * scale * room / 2, halfHeight = face.Height * scale * room / 2;
        return new FaceBox(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight);
    }

    /// <summary>Pixelates everything but a region.</summary>
    /// <param name="region">Picture pixels.</param>
    /// <param name="cell">Side of a cell, pixels, 1 or more.</param>
    internal void PixelateAround(in FaceBox region, int cell)
    {
        using HostBuffer<byte> inside = CutOut(region);
        Pixelate(new FaceBox(0, 0, Width, Height), cell);
        PutBack(region, inside);
    }

    /// <summary>A copy of a region's pixels, for <see cref="PutBack"/>; the caller owns it.</summary>
    internal HostBuffer<byte> CutOut(in FaceBox region)
    {
        (int left, int top, int right, int bottom) = Within(region);
        int width = Math.Max(0, right - left), height = Math.Max(0, bottom - top);
        HostBuffer<byte> pixels = BufferPool.Rent<byte>(Math.Max(1, 3 * width * height));
        for (int row = 0; row < 3 * height; row++)
            RowOf(row, left, top, width, height).CopyTo(pixels.Span.Slice(row * width, width));
        return pixels;
    }

    /// <summary>Writes the pixels of the same region back.</summary>
    internal void PutBack(in FaceBox region, HostBuffer<byte> pixels)
    {
        (int left, int top, int right, int bottom) = Within(region);
        int width = Math.Max(0, right - left), height = Math.Max(0, bottom - top);
        for (int row = 0; row < 3 * height; row++)
            pixels.Span.Slice(row * width, width).CopyTo(RowOf(row, left, top, width, height));
    }

    // Row of a region, all its planes one below the other.
    private Span<byte> RowOf(int row, int left, int top, int width, int height) =>
        Samples.Span.Slice((((row / height * Height) + top + (row % height)) * Width) + left, width);

    private (int Left, int Top, int Right, int Bottom) Within(in FaceBox region) =>
        ((int)Math.Clamp(MathF.Floor(region.Left), 0, Width), (int)Math.Clamp(MathF.Floor(region.Top), 0, Height),
        (int)Math.Clamp(MathF.Ceiling(region.Right), 0, Width), (int)Math.Clamp(MathF.Ceiling(region.Bottom), 0, Height));

    /// <summary>Makes the picture black; the memory is kept.</summary>
    internal void Wipe()
    {
        LetGo();
        memory.Wipe();
    }

    /// <summary>A copy, owned by the caller.</summary>
    public Picture Copy()
    {
        var copy = new Picture(Width, Height);
        Samples.Span.CopyTo(copy.memory.Span);
        return copy;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        LetGo();
        memory.Dispose();
    }
}

/// <summary>Working memory of <see cref="Picture.Paint"/>; wiped after each use. Used by one thread at a time.</summary>
/// <param name="width">Widest region painted, pixels.</param>
/// <param name="height">Height of the pictures, pixels.</param>
public sealed class PaintScratch(int width, int height) : IDisposable
{
    internal HostBuffer<float> Planes { get; } = BufferPool.Rent<float>(3 * width * height);

    internal PlaneResampler Resampler { get; } = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        Planes.Dispose();
        Resampler.Dispose();
    }
}
