using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Native.Media;

/// <summary>A decoded frame in locked native memory. Disposing lets go of it; the memory is wiped as soon as the decoder
/// has let go as well. May outlive its reader.</summary>
/// <remarks>A safe handle itself, so that a frame costs one managed object.</remarks>
public sealed unsafe class MediaFrame : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly FrameInfo info;

    /// <summary>Takes the native frame over, also when this throws.</summary>
    internal MediaFrame(nint frame)
        : base(ownsHandle: true)
    {
        SetHandle(frame);
        FrameInfoData data = new() { StructSize = (uint)sizeof(FrameInfoData) };
        MediaApi.lfr_frame_get_info(frame, &data).ThrowIfFailed();
        info = new FrameInfo(data);
    }

    /// <summary>Describes the planes. Its pointers are valid until this frame is disposed.</summary>
    public ref readonly FrameInfo Info
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
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
    protected override bool ReleaseHandle()
    {
        MediaApi.lfr_frame_release(handle);
        return true;
    }
}
