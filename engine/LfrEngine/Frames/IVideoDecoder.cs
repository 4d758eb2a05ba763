using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>Decodes sources into frames, in software or on a device.</summary>
public interface IVideoDecoder
{
    /// <summary>Opens a source.</summary>
    /// <param name="source">File, folder of pictures, device or URL.</param>
    /// <param name="options">Transport and rotation.</param>
    /// <param name="isLive">Whether the source is live.</param>
    /// <param name="account">Counts the host memory held by the reader; a device's memory is counted for the process. Borrowed for the call.</param>
    /// <param name="stopping">Ends a slow open.</param>
    /// <exception cref="MediaException">The source cannot be opened.</exception>
    /// <exception cref="OperationCanceledException">Stopped first.</exception>
    ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping);
}

/// <summary>Frames of one opened source. One thread reads; <see cref="Interrupt"/> may come from any other.</summary>
public interface ISourceReader : IDisposable
{
    /// <summary>Decodes the next frame.</summary>
    /// <param name="frame">Empty; filled with the stream's own time if the result is <see cref="DecodeResult.Frame"/>. Its <see cref="FrameLease.Owner"/> may be reused.</param>
    /// <exception cref="MediaException">The stream has failed; open it again.</exception>
    DecodeResult Read(FrameLease frame);

    /// <summary>Makes a read in progress, and every later one, return <see cref="DecodeResult.Interrupted"/>.</summary>
    void Interrupt();

    /// <summary>What is known so far. Call it on the reading thread.</summary>
    MediaInfo GetInfo();
}

/// <summary>Decodes with FFmpeg on the processor, into locked memory.</summary>
public sealed class SoftwareDecoder : IVideoDecoder
{
    private SoftwareDecoder()
    {
    }

    /// <summary>The only instance; it has no state.</summary>
    public static SoftwareDecoder Default { get; } = new();

    /// <inheritdoc/>
    public ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping) =>
        Open(source, options, isLive, account, onCard: false, stopping);

    internal static ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, bool onCard, CancellationToken stopping) =>
        new Reader(MediaReader.Open(source, new MediaOptions
        {
            LowDelay = isLive,
            Account = account,
            RtspTransport = options.Transport,
            RotateDegrees = options.RotateDegrees,
            Mirror = options.Mirror,
            Vaapi = onCard,
        }, stopping));

    private sealed class Reader(MediaReader reader) : ISourceReader
    {
        public DecodeResult Read(FrameLease frame)
        {
            var decoded = frame.Owner as MediaFrame ?? new MediaFrame();
            DecodeResult result = reader.Read(decoded);
            if (result == DecodeResult.Frame)
                frame.Fill(decoded, FrameLease.ViewOf(decoded), decoded.Info.PtsUs, decoded.Info.ArrivalTimestamp);
            return result;
        }

        public void Interrupt() => reader.Interrupt();

        public MediaInfo GetInfo() => reader.GetInfo();

        public void Dispose() => reader.Dispose();
    }
}
