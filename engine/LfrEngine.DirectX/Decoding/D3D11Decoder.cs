using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;
using LfrEngine.Native.Media;

namespace LfrEngine.DirectX.Decoding;

/// <summary>Decodes on the GPU by D3D11VA; frames never leave it.</summary>
/// <remarks>8-bit NV12 only: the codecs and profiles that the driver decodes to it. Everything else is refused with its name or, with fallback, decoded in software and uploaded.</remarks>
public sealed class D3D11Decoder : IVideoDecoder, IDisposable
{
    private readonly FrameStore store;
    private readonly Action<string>? onFallBack;

    /// <summary>Creates a decoder; the GPU is checked when a source is opened.</summary>
    /// <param name="context">Borrowed.</param>
    /// <param name="onFallBack">Called with the reason when the GPU cannot decode a source, which is then decoded in software and uploaded. Null makes it an error.</param>
    public D3D11Decoder(GpuContext context, Action<string>? onFallBack = null)
    {
        store = new FrameStore(context);
        this.onFallBack = onFallBack;
    }

    /// <inheritdoc/>
    public ISourceReader Open(string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping)
    {
        try
        {
            if (options.TurnsPicture)
                throw new GpuException("Rotated or mirrored pictures (rotate, mirror) cannot be decoded on the GPU.");
            return new FallingBack(this, new D3D11Reader(store, source, isLive, stopping), source, options, isLive, account, stopping);
        }
        catch (Exception e) when (e is GpuException or DllNotFoundException or PlatformNotSupportedException or NotSupportedException)
        {
            return OpenInSoftware(source, options, isLive, account, e, stopping);
        }
    }

    /// <summary>Gives the frames' memory back; after the last reader.</summary>
    public void Dispose() => store.Dispose();

    private Uploading OpenInSoftware(string source, SourceOptions options, bool isLive, MediaAccount? account, Exception why, CancellationToken stopping)
    {
        if (onFallBack is null)
        {
            string way = "Use --decode software, or auto to use it where needed.";
            throw new MediaException(MediaError.NoDecoder, why is GpuException ? $"{why.Message} {way}" : $"FFmpeg's libraries (7.1, shared) were not found next to the program: {why.Message} {way}");
        }
        onFallBack($"Decoded in software and uploaded: {why.Message}");
        return new Uploading(store, SoftwareDecoder.Default.Open(source, options, isLive, account, stopping));
    }

    /// <summary>A reader whose stream may turn out, at its first frame, to be nothing for the GPU.</summary>
    private sealed class FallingBack(D3D11Decoder decoder, D3D11Reader onDevice, string source, SourceOptions options, bool isLive, MediaAccount? account, CancellationToken stopping) : ISourceReader
    {
        private volatile ISourceReader reader = onDevice;

        public DecodeResult Read(FrameLease frame)
        {
            try
            {
                return reader.Read(frame);
            }
            catch (GpuException e) when (onDevice.Frames == 0 && reader == onDevice)
            {
                onDevice.Dispose();
                reader = decoder.OpenInSoftware(source, options, isLive, account, e, stopping);
                return reader.Read(frame);
            }
            catch (GpuException e)
            {
                throw new MediaException(MediaError.ReadError, e.Message);
            }
        }

        public void Interrupt() => reader.Interrupt();

        public MediaInfo GetInfo() => reader.GetInfo();

        public void Dispose() => reader.Dispose();
    }

    /// <summary>Frames of the software decoder, copied to the device.</summary>
    private sealed class Uploading(FrameStore store, ISourceReader reader) : ISourceReader
    {
        public DecodeResult Read(FrameLease frame)
        {
            DecodeResult result = reader.Read(frame);
            // A grey frame has no chroma to upload and stays where it is; so does one whose device was lost meanwhile.
            if (result != DecodeResult.Frame || !frame.View.HasColour)
                return result;
            FrameView host = frame.View;
            (long timestampUs, long arrival) = (frame.TimestampUs, frame.ArrivalTimestamp);
            GpuFrame uploaded;
            try
            {
                uploaded = store.Upload(host);
            }
            catch (DeviceLostException)
            {
                return result;
            }
            frame.Refill(uploaded, host.On(uploaded), timestampUs, arrival);
            return result;
        }

        public void Interrupt() => reader.Interrupt();

        public MediaInfo GetInfo() => reader.GetInfo();

        public void Dispose() => reader.Dispose();
    }
}
