namespace LfrEngine.Native.Media;

/// <summary>Why a media call failed. The values are those of <c>lfr_media_status</c> in lfr_media.h.</summary>
public enum MediaError
{
    /// <summary>No failure.</summary>
    None = 0,

    /// <summary>The call itself was wrong.</summary>
    BadArgument = -1,

    /// <summary>Not found, not permitted or not reachable.</summary>
    CannotOpen = -10,

    /// <summary>Not a media file, or a file without a video stream.</summary>
    NotVideo = -11,

    /// <summary>The installed FFmpeg lacks the decoder, or it refuses the stream.</summary>
    NoDecoder = -12,

    /// <summary>Decoded to a pixel format without a conversion.</summary>
    PixelFormat = -13,

    /// <summary>Nothing came within the time allowed.</summary>
    TimedOut = -14,

    /// <summary>Reading failed, or nothing could be decoded.</summary>
    ReadError = -15,

    /// <summary>Out of native memory.</summary>
    OutOfMemory = -16,

    /// <summary>A picture side is zero or above 16384.</summary>
    BadSize = -17,

    /// <summary>The encoded picture does not fit.</summary>
    BufferTooSmall = -18,

    /// <summary>The encoder failed.</summary>
    EncodeFailed = -19,

    /// <summary>An invalid address: unknown scheme, no host, an invalid port.</summary>
    BadSource = -20,

    /// <summary>User name or password refused.</summary>
    Unauthorised = -21,

    /// <summary>A network source or device answers, but has no video stream (yet).</summary>
    NoVideo = -22,

    /// <summary>A network source that sends one picture instead of a stream.</summary>
    OnePicture = -23,

    /// <summary>Needs a key that the engine does not have (DRM).</summary>
    Encrypted = -24,
}

/// <summary>A source that cannot be opened, read or encoded. The message contains no credentials of a URL.</summary>
public sealed class MediaException : Exception
{
    /// <param name="error">What went wrong.</param>
    /// <param name="message">One sentence for the operator.</param>
    public MediaException(MediaError error, string message)
        : base(message) => Error = error;

    /// <summary>What went wrong.</summary>
    public MediaError Error { get; }
}
