namespace LfrEngine.Native.Media;

/// <summary>Transport of RTSP media.</summary>
public enum RtspTransport
{
    /// <summary>Inside the RTSP connection: nothing is lost, but data may be late.</summary>
    Tcp = 0,

    /// <summary>In UDP datagrams.</summary>
    Udp = 1,

    /// <summary>TCP, or UDP if the camera refuses TCP (461).</summary>
    Auto = 2,
}

/// <summary>How a source is opened and read.</summary>
public sealed record MediaOptions
{
    /// <summary>Longest wait for a network source or device to open, in milliseconds; 0 waits without limit.</summary>
    public int OpenTimeoutMs { get; init; } = 10_000;

    /// <summary>Longest wait for one frame of such a source, in milliseconds; 0 waits without limit.</summary>
    public int ReadTimeoutMs { get; init; } = 10_000;

    /// <summary>1 to 64. More threads hold more frames in the decoder.</summary>
    public int DecoderThreads { get; init; } = 1;

    /// <summary>Transport of RTSP media.</summary>
    public RtspTransport RtspTransport { get; init; } = RtspTransport.Auto;

    /// <summary>For live sources: start without probing and return frames as soon as they are decoded.</summary>
    public bool LowDelay { get; init; }

    /// <summary>Time between two pictures of a folder, in microseconds.</summary>
    public int PictureIntervalUs { get; init; } = 40_000;

    /// <summary>Clockwise rotation of the upright picture: 0, 90, 180 or 270.</summary>
    public int RotateDegrees { get; init; }

    /// <summary>Whether it is mirrored left to right after that.</summary>
    public bool Mirror { get; init; }

    /// <summary>Whether a graphics card decodes, by VAAPI; what it does not decode is refused.</summary>
    public bool Vaapi { get; init; }

    /// <summary>Account of a run that counts what the reader holds and wipes; borrowed for the opening. Null: counted only for the process.</summary>
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
        Vaapi = Vaapi ? 1 : 0,
    };
}
