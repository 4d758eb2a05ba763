using System.Text;

namespace LfrEngine.Native.Media;

/// <summary>What is known about an opened source so far.</summary>
/// <param name="Container">FFmpeg's demuxer name; "pictures" for a folder.</param>
/// <param name="Codec">FFmpeg's codec name; empty for a folder before its first picture.</param>
/// <param name="PixelFormat">FFmpeg's name of the format as decoded, before any conversion; empty before the first frame.</param>
/// <param name="Width">Of the newest frame, upright; before it, what the container says, or 0.</param>
/// <param name="Height">As <paramref name="Width"/>.</param>
/// <param name="AverageFps">Frames per second; 0 when unknown.</param>
/// <param name="DurationUs">Microseconds; null when unknown.</param>
/// <param name="ReadUs">Microseconds from the first stamp to the end of the last packet read.</param>
/// <param name="IsLive">Network source or capture device.</param>
/// <param name="IsTruncated">At the end: whether less was read than the index or header announces.</param>
/// <param name="Frames">Frames returned so far.</param>
/// <param name="Corrupt">Damaged packets, or broken pictures of a folder, met so far.</param>
/// <param name="LastDamage">One sentence on the newest of those; empty if none.</param>
public sealed record MediaInfo(
    string Container, string Codec, string PixelFormat, int Width, int Height, double AverageFps, long? DurationUs, long ReadUs,
    bool IsLive, bool IsTruncated, long Frames, long Corrupt, string LastDamage)
{
    internal static MediaInfo From(in MediaInfoData data) => new(
        Text(data.Container), Text(data.Codec), Text(data.PixelFormat), data.Width, data.Height,
        data.FrameRateDen > 0 ? (double)data.FrameRateNum / data.FrameRateDen : 0,
        data.DurationUs >= 0 ? data.DurationUs : null, data.ReadUs,
        data.IsLive != 0, data.IsTruncated != 0, data.Frames, data.Corrupt, Text(data.LastDamage));

    private static string Text(ReadOnlySpan<byte> zeroTerminated)
    {
        int length = zeroTerminated.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? zeroTerminated : zeroTerminated[..length]);
    }
}
