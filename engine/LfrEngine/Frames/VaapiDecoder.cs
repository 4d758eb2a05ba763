using LfrEngine.Native.Media;

namespace LfrEngine.Frames;

/// <summary>Decodes on a graphics card of this Linux machine by VAAPI; each picture is copied to locked memory, as if it had been decoded in software.</summary>
/// <remarks>The card's own surfaces cannot be wiped from here. A card that fails or is lost ends the stream as a source that broke does: a live one is opened again.</remarks>
/// <param name="onFallBack">Called with the reason when the card does not decode a source, which is then decoded in software. Null makes it an error.</param>
public sealed class VaapiDecoder(Action<string>? onFallBack = null) : IVideoDecoder
{
    // Sources that were decoded in software instead.
    private int fallBacks;

    /// <summary>Why no card here decodes by VAAPI; null if one does.</summary>
    public static string? Fault()
    {
        try
        {
            MediaReader.CheckVaapi();
            return null;
        }
        catch (Exception e) when (e is MediaException or DllNotFoundException)
        {
            return e.Message;
        }
    }

    /// <inheritdoc/>
    public ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping)
    {
        try
        {
            return new FallingBack(this, SoftwareDecoder.Open(source, options, isLive, account, onCard: true, stopping), () => SoftwareDecoder.Default.Open(source, options, isLive, account, stopping));
        }
        catch (MediaException e) when (e.Error == MediaError.NoDecoder)
        {
            CountFallBack(e);
            return SoftwareDecoder.Default.Open(source, options, isLive, account, stopping);
        }
    }

    private void CountFallBack(MediaException why)
    {
        if (onFallBack is null)
            throw new MediaException(MediaError.NoDecoder, $"{why.Message}. Use --decode software, or auto to use it where needed.");
        onFallBack($"Decoded in software ({Interlocked.Increment(ref fallBacks)} so far): {why.Message}.");
    }

    /// <summary>A reader whose stream may turn out, at its first frame, to be nothing for the card.</summary>
    private sealed class FallingBack(VaapiDecoder decoder, ISourceReader onCard, Func<ISourceReader> openInSoftware) : ISourceReader
    {
        private volatile ISourceReader? inSoftware;

        private ISourceReader Reader => inSoftware ?? onCard;

        public DecodeResult Read(FrameLease frame)
        {
            try
            {
                return Reader.Read(frame);
            }
            catch (MediaException e) when (e.Error == MediaError.NoDecoder && inSoftware is null)
            {
                decoder.CountFallBack(e);
                onCard.Dispose();
                inSoftware = openInSoftware();
                return Reader.Read(frame);
            }
        }

        public void Interrupt() => Reader.Interrupt();

        public MediaInfo GetInfo() => Reader.GetInfo();

        public void Dispose() => Reader.Dispose();
    }
}
