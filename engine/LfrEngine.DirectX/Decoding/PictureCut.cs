using FFmpeg.AutoGen;
using LfrEngine.DirectX.Devices;

namespace LfrEngine.DirectX.Decoding;

/// <summary>Where the picture lies in a decoder's texture.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
internal readonly record struct PictureCut(uint Left, uint Top, int Width, int Height)
{
    /// <summary>FFmpeg crops a hardware frame on the right and at the bottom only (libavcodec/decode.c, apply_cropping): its width still has the columns on the left that are not of the picture.</summary>
    /// <exception cref="GpuException">Nothing is left of the picture.</exception>
    public static PictureCut Of(in AVFrame frame)
    {
        if (frame.crop_left >= (ulong)frame.width || frame.crop_top >= (ulong)frame.height)
            throw new GpuException($"The stream says that nothing of its {frame.width}x{frame.height} pictures is to be shown.");
        return new PictureCut((uint)frame.crop_left, (uint)frame.crop_top, frame.width - (int)frame.crop_left, frame.height - (int)frame.crop_top);
    }
}
