namespace LfrEngine.Native.Media;

/// <summary>Counters of the readers of a <see cref="MediaAccount"/>, or of all readers and encoders of this process.</summary>
/// <param name="BuffersOutstanding">Frame buffers in use now, including by the decoder.</param>
/// <param name="BytesAllocated">Mapped for frames and packets now, held or free.</param>
/// <param name="BytesUnlocked">Of those, not locked in memory: RLIMIT_MEMLOCK is too small.</param>
/// <param name="BuffersWiped">Frame buffers wiped since the account or the process began.</param>
/// <param name="PacketsWiped">Compressed packets wiped, when the decoder released them, since then.</param>
/// <param name="PacketsShared">Packets whose original in the demuxer was still in use, so that it was not wiped.</param>
/// <param name="PacketsOutstanding">Compressed packets that the decoder holds now.</param>
/// <param name="Scrubs">Decoders scrubbed since then, closing included.</param>
public readonly record struct MediaStatistics(
    long BuffersOutstanding, long BytesAllocated, long BytesUnlocked, long BuffersWiped, long PacketsWiped, long PacketsShared,
    long PacketsOutstanding, long Scrubs)
{
    /// <summary>The current counters of the process.</summary>
    public static MediaStatistics Read() => Read(MediaAccountHandle.None);

    internal static unsafe MediaStatistics Read(MediaAccountHandle account)
    {
        MediaStatsData data = new() { StructSize = (uint)sizeof(MediaStatsData) };
        MediaApi.lfr_media_get_stats(account, &data).ThrowIfFailed();
        return new(data.BuffersOutstanding, data.BytesAllocated, data.BytesUnlocked, data.BuffersWiped, data.PacketsWiped, data.PacketsShared,
            data.PacketsOutstanding, data.Scrubs);
    }
}
