namespace LfrEngine.Native.Media;

/// <summary>A decoded frame in locked native memory. Disposing releases it; the memory is wiped as soon as the decoder
/// has released it as well. May outlive its reader.</summary>
/// <remarks>A disposed frame can be filled again by <see cref="MediaReader.Read(MediaFrame)"/>, so that a stream needs only one managed object.</remarks>
public sealed unsafe class MediaFrame : IDisposable
{
    private FrameInfo info;
    private nint handle;

    /// <summary>Creates an empty frame, to be filled.</summary>
    public MediaFrame() => GC.SuppressFinalize(this);

    /// <summary>Releases a frame that was not disposed.</summary>
    ~MediaFrame() => Release();

    /// <summary>Whether it is empty.</summary>
    public bool IsEmpty => Volatile.Read(ref handle) == 0;

    /// <summary>Describes the planes. Its pointers are valid until this frame is disposed.</summary>
    public ref readonly FrameInfo Info
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsEmpty, this);
            return ref info;
        }
    }

    /// <summary>The rows of one plane, padding between them included. Borrowed until this frame is disposed.</summary>
    public ReadOnlySpan<byte> Plane(int plane)
    {
        ref readonly FrameInfo info = ref Info;
        ArgumentOutOfRangeException.ThrowIfNegative(plane);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(plane, info.PlaneCount);
        // The last row ends with its pixels: what follows it is not part of the plane.
        int length = (info.RowCount(plane) - 1) * info.RowStride(plane) + info.RowBytes(plane);
        return new ReadOnlySpan<byte>(info.PlanePointer(plane), length);
    }

    /// <summary>One row of one plane, without padding. Borrowed until this frame is disposed.</summary>
    public ReadOnlySpan<byte> Row(int plane, int row) =>
        Plane(plane).Slice(row * info.RowStride(plane), info.RowBytes(plane));

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes ownership of a native frame, also if it throws.</summary>
    internal void Fill(nint frame)
    {
        handle = frame;
        GC.ReRegisterForFinalize(this);
        FrameInfoData data = new() { StructSize = (uint)sizeof(FrameInfoData) };
        try
        {
            MediaApi.lfr_frame_get_info(frame, &data).ThrowIfFailed();
        }
        catch
        {
            Dispose();
            throw;
        }
        info = new FrameInfo(data);
    }

    private void Release()
    {
        nint owned = Interlocked.Exchange(ref handle, 0);
        if (owned != 0)
            MediaApi.lfr_frame_release(owned);
    }
}
