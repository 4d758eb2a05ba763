namespace LfrEngine.Native.Media;

/// <summary>How RTSP media travels.</summary>
public enum RtspTransport
{
    /// <summary>Inside the RTSP connection: nothing is lost, late data waits.</summary>
    Tcp = 0,

    /// <summary>In datagrams of their own.</summary>
    Udp = 1,
}

/// <summary>How a source is opened and read.</summary>
public sealed record MediaOptions
{
    /// <summary>Longest wait for a network source or device to open, in milliseconds; 0 waits for ever.</summary>
    public int OpenTimeoutMs { get; init; } = 10_000;

    /// <summary>Longest wait for one frame of such a source, in milliseconds; 0 waits for ever.</summary>
    public int ReadTimeoutMs { get; init; } = 10_000;

    /// <summary>1 to 64. More threads hold more frames in the decoder.</summary>
    public int DecoderThreads { get; init; } = 1;

    /// <summary>How RTSP media travels.</summary>
    public RtspTransport RtspTransport { get; init; }

    /// <summary>For live sources: start without probing and hand frames out as soon as they are decoded.</summary>
    public bool LowDelay { get; init; }

    /// <summary>Time between two pictures of a folder, in microseconds.</summary>
    public int PictureIntervalUs { get; init; } = 40_000;

    /// <summary>Counts what the reader holds and wipes, among others of a run; borrowed for the opening. Null: only the process counts it.</summary>
    public MediaAccount? Account { get; init; }

    internal unsafe MediaOptionsData ToData() => new()
    {
        StructSize = (uint)sizeof(MediaOptionsData),
        OpenTimeoutMs = OpenTimeoutMs,
        ReadTimeoutMs = ReadTimeoutMs,
        DecoderThreads = DecoderThreads,
        RtspTransport = (int)RtspTransport,
        LowDelay = LowDelay ? 1 : 0,
        PictureIntervalUs = PictureIntervalUs,
    };
}
