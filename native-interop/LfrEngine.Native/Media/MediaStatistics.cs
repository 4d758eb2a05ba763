namespace LfrEngine.Native.Media;

/// <summary>Counters of all readers of this process.</summary>
/// <param name="BuffersOutstanding">Frame buffers that somebody, the decoder included, holds now.</param>
/// <param name="BytesAllocated">Mapped for frame buffers now, held or free.</param>
/// <param name="BytesUnlocked">Of those, not locked in memory: RLIMIT_MEMLOCK is too small.</param>
/// <param name="BuffersWiped">Frame buffers wiped since the process began.</param>
/// <param name="PacketsWiped">Compressed packets wiped after use since the process began.</param>
/// <param name="PacketsShared">Compressed packets that somebody else still held, so that they were not wiped.</param>
public readonly record struct MediaStatistics(
    long BuffersOutstanding, long BytesAllocated, long BytesUnlocked, long BuffersWiped, long PacketsWiped, long PacketsShared)
{
    /// <summary>The counters as they stand.</summary>
    public static unsafe MediaStatistics Read()
    {
        MediaStatsData data = new() { StructSize = (uint)sizeof(MediaStatsData) };
        MediaApi.lfr_media_get_stats(&data).ThrowIfFailed();
        return new(data.BuffersOutstanding, data.BytesAllocated, data.BytesUnlocked, data.BuffersWiped, data.PacketsWiped, data.PacketsShared);
    }
}
