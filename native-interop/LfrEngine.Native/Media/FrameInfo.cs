namespace LfrEngine.Native.Media;

/// <summary>Describes the planes of a decoded, upright frame. The pointers are valid as long as the frame.</summary>
public readonly unsafe struct FrameInfo
{
    private readonly FrameInfoData data;

    internal FrameInfo(in FrameInfoData data) => this.data = data;

    /// <summary>Layout of the planes.</summary>
    public PixelFormat Format => (PixelFormat)data.Format;

    /// <summary>Pixels, upright.</summary>
    public int Width => data.Width;

    /// <summary>Pixels, upright.</summary>
    public int Height => data.Height;

    /// <summary>1 for grey, 2 for NV12, otherwise 3.</summary>
    public int PlaneCount => Format switch { PixelFormat.Grey => 1, PixelFormat.Nv12 => 2, _ => 3 };

    /// <summary>Unspecified streams: BT.601 for JPEG, otherwise BT.709 from 720 rows on, else BT.601.</summary>
    public ColourMatrix Matrix => (ColourMatrix)data.Matrix;

    /// <summary>Full for JPEG and everything converted from RGB.</summary>
    public ColourRange Range => (ColourRange)data.Range;

    /// <summary>Position of chroma samples.</summary>
    public ChromaLocation ChromaLocation => (ChromaLocation)data.ChromaLocation;

    /// <summary>Clockwise rotation that was applied to make the picture upright: 0, 90, 180 or 270.</summary>
    public int RotationDegrees => data.RotationDegrees;

    /// <summary>Whether it was mirrored left to right before that rotation.</summary>
    public bool IsMirrored => data.Mirrored != 0;

    /// <summary>Decoded without reference to another frame.</summary>
    public bool IsKeyFrame => data.IsKeyFrame != 0;

    /// <summary>The decoder concealed damage in it.</summary>
    public bool IsCorrupt => data.IsCorrupt != 0;

    /// <summary>Number of the frame from 0; for a folder, the picture's place in name order.</summary>
    public long Index => data.Index;

    /// <summary>The stream's stamp minus that of its first stamped frame, microseconds, unprocessed: it may not advance, jump or go back. <see cref="NoPts"/> if the stream has none.</summary>
    public long PtsUs => data.PtsUs;

    /// <summary><see cref="PtsUs"/> of a frame without a stamp.</summary>
    public const long NoPts = long.MinValue;

    /// <summary>When the last packet needed for it arrived, ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long ArrivalTimestamp => NativeClock.ToStopwatchTicks(data.ArrivalNs, System.Diagnostics.Stopwatch.Frequency);

    /// <summary>First byte of a plane. Borrowed from the frame.</summary>
    public byte* PlanePointer(int plane) => (byte*)data.Plane[plane];

    /// <summary>Bytes from one row of a plane to the next; positive.</summary>
    public int RowStride(int plane) => data.RowStride[plane];

    /// <summary>Bytes of picture in one row of a plane.</summary>
    public int RowBytes(int plane) => (plane, Format) switch
    {
        (0, _) or (_, PixelFormat.I444) => Width,
        (_, PixelFormat.Nv12) => (Width + 1) / 2 * 2,
        _ => (Width + 1) / 2,
    };

    /// <summary>Rows of a plane.</summary>
    public int RowCount(int plane) =>
        plane > 0 && Format is (PixelFormat.I420 or PixelFormat.Nv12) ? (Height + 1) / 2 : Height;
}
