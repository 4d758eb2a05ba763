using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>The planes of one upright frame. Borrowed: valid while the frame's owner holds it.</summary>
/// <remarks>
/// Continuous pixel coordinates: pixel <c>i</c> covers <c>[i, i + 1)</c>, its centre is <c>i + 0.5</c>. A luma coordinate <c>x</c> lies at
/// <c>x · ChromaScaleX + ChromaOffsetX</c> in the chroma planes; the offset depends on the stream's chroma location.
/// </remarks>
public readonly unsafe struct FrameView
{
    /// <summary>Describes a frame.</summary>
    /// <param name="format">Plane layout.</param>
    /// <param name="width">Pixels, at least 1.</param>
    /// <param name="height">Pixels, at least 1.</param>
    /// <param name="planes">Y, U, V; for NV12 Y and the interleaved UV plane; for grey Y alone.</param>
    /// <param name="rowStrides">Bytes per row of each plane.</param>
    /// <param name="matrix">Colour matrix.</param>
    /// <param name="range">Limited or full.</param>
    /// <param name="chromaLocation">Position of subsampled chroma.</param>
    public FrameView(PixelFormat format, int width, int height, ReadOnlySpan<nint> planes, ReadOnlySpan<int> rowStrides,
        ColourMatrix matrix, ColourRange range, ChromaLocation chromaLocation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        int planeCount = format switch { PixelFormat.Grey => 1, PixelFormat.Nv12 => 2, _ => 3 };
        ArgumentOutOfRangeException.ThrowIfLessThan(planes.Length, planeCount, nameof(planes));
        ArgumentOutOfRangeException.ThrowIfLessThan(rowStrides.Length, planeCount, nameof(rowStrides));

        Format = format;
        Width = width;
        Height = height;
        Y = (byte*)planes[0];
        LumaStride = rowStrides[0];
        Colour = new ColourConversion(matrix, range);
        Matrix = matrix;
        Range = range;
        ChromaScaleX = ChromaScaleY = 1;
        ChromaStep = 1;
        if (format == PixelFormat.Grey)
            return;

        U = (byte*)planes[1];
        V = format == PixelFormat.Nv12 ? U + 1 : (byte*)planes[2];
        ChromaStep = format == PixelFormat.Nv12 ? 2 : 1;
        ChromaStride = rowStrides[1];
        bool halfX = format is PixelFormat.I420 or PixelFormat.Nv12 or PixelFormat.I422;
        bool halfY = format is PixelFormat.I420 or PixelFormat.Nv12;
        ChromaScaleX = halfX ? 0.5f : 1;
        ChromaScaleY = halfY ? 0.5f : 1;
        // Co-sited samples sit on the first luma sample of their pair, a quarter of a chroma pixel left of (or above) the middle.
        ChromaOffsetX = halfX && chromaLocation != ChromaLocation.Centre ? 0.25f : 0;
        ChromaOffsetY = halfY && chromaLocation == ChromaLocation.TopLeft ? 0.25f : 0;
        ChromaWidth = halfX ? (width + 1) / 2 : width;
        ChromaHeight = halfY ? (height + 1) / 2 : height;
    }

    /// <summary>Plane layout.</summary>
    public PixelFormat Format { get; }

    /// <summary>The planes on a device; null if they are in host memory and the pointers are valid.</summary>
    internal IFrameSurface? Surface { get; private init; }

    /// <summary>Pixels.</summary>
    public int Width { get; }

    /// <summary>Pixels.</summary>
    public int Height { get; }

    /// <summary>Luma plane.</summary>
    public byte* Y { get; private init; }

    /// <summary>First Cb sample; null for grey.</summary>
    public byte* U { get; private init; }

    /// <summary>First Cr sample; null for grey.</summary>
    public byte* V { get; private init; }

    /// <summary>Bytes per luma row.</summary>
    public int LumaStride { get; }

    /// <summary>Bytes per chroma row.</summary>
    public int ChromaStride { get; }

    /// <summary>Bytes from one chroma sample to the next: 2 in NV12, otherwise 1.</summary>
    public int ChromaStep { get; }

    /// <summary>Chroma samples per row; 0 for grey.</summary>
    public int ChromaWidth { get; }

    /// <summary>Chroma rows; 0 for grey.</summary>
    public int ChromaHeight { get; }

    /// <summary>Chroma samples per luma sample, horizontally.</summary>
    public float ChromaScaleX { get; }

    /// <summary>Chroma samples per luma sample, vertically.</summary>
    public float ChromaScaleY { get; }

    /// <summary>Added after scaling, chroma samples.</summary>
    public float ChromaOffsetX { get; }

    /// <summary>Added after scaling, chroma samples.</summary>
    public float ChromaOffsetY { get; }

    /// <summary>How samples become R′G′B′.</summary>
    internal ColourConversion Colour { get; }

    /// <summary>Colour matrix, as decoded.</summary>
    public ColourMatrix Matrix { get; }

    /// <summary>Range, as decoded.</summary>
    public ColourRange Range { get; }

    /// <summary>Whether the frame carries colour.</summary>
    public bool HasColour => Format != PixelFormat.Grey;

    /// <summary>The same frame with its planes on a device and without pointers.</summary>
    /// <param name="surface">The planes on the device.</param>
    internal FrameView On(IFrameSurface surface) => this with { Y = null, U = null, V = null, Surface = surface };
}
