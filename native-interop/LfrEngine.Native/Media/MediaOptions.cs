namespace LfrEngine.Native.Media;

/// <summary>How RTSP media travels.</summary>
public enum RtspTransport
{
    /// <summary>Inside the RTSP connection: nothing is lost, late data waits.</summary>
    Tcp = 0,

    /// <summary>In datagrams of their own.</summary>
    Udp = 1,

    /// <summary>By TCP; in datagrams where the camera refuses that (461).</summary>
    Auto = 2,
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
    public RtspTransport RtspTransport { get; init; } = RtspTransport.Auto;

    /// <summary>For live sources: start without probing and hand frames out as soon as they are decoded.</summary>
    public bool LowDelay { get; init; }

    /// <summary>Time between two pictures of a folder, in microseconds.</summary>
    public int PictureIntervalUs { get; init; } = 40_000;

    /// <summary>How far the upright picture is turned clockwise: 0, 90, 180 or 270.</summary>
    public int RotateDegrees { get; init; }

    /// <summary>Whether it is mirrored left to right after that.</summary>
    public bool Mirror { get; init; }

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
        RotateDegrees = RotateDegrees,
        Mirror = Mirror ? 1 : 0,
    };
}
