using System.Runtime.InteropServices;
using System.Text;

namespace LfrEngine.Native.Media;

/// <summary>The result of a read, apart from failures.</summary>
public enum DecodeResult
{
    /// <summary>A frame was read.</summary>
    Frame = 0,

    /// <summary>The source has no more frames.</summary>
    EndOfStream = 1,

    /// <summary><see cref="MediaReader.Interrupt"/> was called.</summary>
    Interrupted = 2,
}

/// <summary>Frames of a file, a folder of pictures, a capture device or a network stream, decoded by FFmpeg.</summary>
/// <remarks>One thread reads. <see cref="Interrupt"/> and <see cref="Dispose"/> may come from any other at any time.</remarks>
public sealed unsafe class MediaReader : IDisposable
{
    // Time in which an interruptible open has returned.
    private static readonly TimeSpan AnswersInterrupt = TimeSpan.FromSeconds(2);

    private readonly MediaHandle handle;

    private MediaReader(MediaHandle handle) => this.handle = handle;

    /// <summary>Versions of the FFmpeg libraries in use.</summary>
    public static string Versions => Marshal.PtrToStringUTF8((nint)MediaApi.lfr_media_versions())!;

    /// <summary>Whether FFmpeg has a decoder of this name, such as "h264" or "libdav1d".</summary>
    public static bool HasDecoder(string name) => MediaApi.lfr_media_has_decoder(name) != 0;

    /// <summary>Looks for a graphics card that decodes by VAAPI.</summary>
    /// <exception cref="MediaException">There is none; the message says why.</exception>
    public static void CheckVaapi() => MediaApi.lfr_media_check_vaapi().ThrowIfFailed();

    /// <summary>An address without user name and password, found as when opening it.</summary>
    public static unsafe string WithoutLogin(string source)
    {
        byte[] url = Encoding.UTF8.GetBytes(source + '\0');
        int start, length;
        fixed (byte* bytes = url)
            MediaApi.lfr_media_url_login(bytes, &start, &length).ThrowIfFailed();
        return length == 0 ? source : Encoding.UTF8.GetString([.. url[..start], .. url[(start + length)..^1]]);
    }

    /// <summary>Opens a source.</summary>
    /// <param name="source">A file, a folder of pictures (recognised by their first bytes, in byte order of their names),
    /// /dev/videoN, or an rtsp, rtsps, rtp, udp, srt, tcp, http, https, rtmp or rtmps URL.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellationToken">Ends a slow open. It has no effect on the reader afterwards.</param>
    /// <exception cref="MediaException">The source cannot be opened.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    public static MediaReader Open(string source, MediaOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(source);
        return source.Contains("://", StringComparison.Ordinal) && cancellationToken.CanBeCanceled ? OpenAside(source, options, cancellationToken) : OpenHere(source, options, cancellationToken);
    }

    /// <summary>Opens a media file in memory.</summary>
    /// <param name="data">The file's bytes. Borrowed until the reader is disposed: they must not be moved or freed.</param>
    /// <param name="sizeBytes">How many.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="MediaException">The bytes are not a media file.</exception>
    public static MediaReader OpenMemory(byte* data, long sizeBytes, MediaOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        return OpenWith((handle, settings) => MediaApi.lfr_media_open_memory(handle, data, sizeBytes, settings), options, CancellationToken.None);
    }

    /// <summary>Decodes one picture, or the first frame of a video, in memory.</summary>
    /// <param name="encoded">The file's bytes. Borrowed for the call.</param>
    /// <returns>The frame; the caller disposes it.</returns>
    /// <exception cref="MediaException">The bytes are not a picture, or are damaged.</exception>
    public static MediaFrame ReadPicture(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IsEmpty)
            throw new MediaException(MediaError.NotVideo, "the picture is empty");
        fixed (byte* data = encoded)
        {
            using MediaReader reader = OpenMemory(data, encoded.Length);
            // A picture that cannot be decoded throws, so there is a frame here.
            reader.Read(out MediaFrame? frame);
            return frame!;
        }
    }

    /// <summary>Decodes the next frame. Damaged packets are skipped and counted.</summary>
    /// <param name="frame">The frame, which the caller disposes; null unless the result is <see cref="DecodeResult.Frame"/>.</param>
    /// <exception cref="MediaException">The stream has failed; open it again.</exception>
    /// <exception cref="ObjectDisposedException">The reader was disposed.</exception>
    public DecodeResult Read(out MediaFrame? frame)
    {
        var filled = new MediaFrame();
        DecodeResult result = Read(filled);
        frame = result == DecodeResult.Frame ? filled : null;
        return result;
    }

    /// <summary>Decodes the next frame into an existing object.</summary>
    /// <param name="frame">Empty; filled if the result is <see cref="DecodeResult.Frame"/>. Owned by the caller.</param>
    /// <exception cref="MediaException">The stream has failed; open it again.</exception>
    /// <exception cref="ObjectDisposedException">The reader was disposed.</exception>
    public DecodeResult Read(MediaFrame frame)
    {
        if (!frame.IsEmpty)
            throw new ArgumentException("It still holds a frame.", nameof(frame));
        nint native = 0;
        int status = MediaApi.lfr_media_read(handle, &native).ThrowIfFailed();
        if (status == MediaApi.Ok)
            frame.Fill(native);
        return (DecodeResult)status;
    }

    /// <summary>Makes a read in progress, and every later one, return <see cref="DecodeResult.Interrupted"/>. Does nothing
    /// on a disposed reader.</summary>
    public void Interrupt() => InterruptQuietly(handle);

    /// <summary>What is known so far. Call it on the reading thread.</summary>
    public MediaInfo GetInfo()
    {
        MediaInfoData data = new() { StructSize = (uint)sizeof(MediaInfoData) };
        MediaApi.lfr_media_get_info(handle, &data).ThrowIfFailed();
        return MediaInfo.From(data);
    }

    /// <summary>Overwrites what the decoder and the input buffer keep of packets already used, for a stream that pauses. The
    /// frames read afterwards are identical. The decoder's reference frames are kept, because it predicts from them.</summary>
    /// <remarks>Call it on the reading thread, or while nothing is read. The end of a stream and <see cref="Dispose"/> do it automatically.</remarks>
    public void Scrub() => MediaApi.lfr_media_scrub(handle).ThrowIfFailed();

    /// <summary>Bytes that are not zero in this reader's free buffers: 0, or the wiping is broken.</summary>
    public long CountResidue()
    {
        long bytes;
        MediaApi.lfr_media_count_residue(handle, &bytes).ThrowIfFailed();
        return bytes;
    }

    /// <summary>Interrupts a read in progress and closes the source. Returned frames stay valid.</summary>
    public void Dispose()
    {
        Interrupt();
        handle.Dispose();
    }

    // The system's name lookup has no time limit and cannot be interrupted, so it runs on a separate thread.
    private static MediaReader OpenAside(string source, MediaOptions? options, CancellationToken cancellationToken)
    {
        Task<MediaReader> opening = Task.Factory.StartNew(() => OpenHere(source, options, cancellationToken), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        // It either ends on its own, or is asked to stop and gets a moment to do so.
        if (WaitHandle.WaitAny([((IAsyncResult)opening).AsyncWaitHandle, cancellationToken.WaitHandle]) == 1 && !((IAsyncResult)opening).AsyncWaitHandle.WaitOne(AnswersInterrupt))
        {
            opening.ContinueWith(static late =>
            {
                if (late.IsCompletedSuccessfully)
                    late.Result.Dispose();
                else
                    _ = late.Exception;
            }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw new OperationCanceledException(cancellationToken);
        }
        return opening.GetAwaiter().GetResult();
    }

    private static MediaReader OpenHere(string source, MediaOptions? options, CancellationToken cancellationToken) =>
        OpenWith((handle, data) => MediaApi.lfr_media_open(handle, source, data), options, cancellationToken);

    private delegate int OpenCall(MediaHandle handle, MediaOptionsData* options);

    private static MediaReader OpenWith(OpenCall call, MediaOptions? options, CancellationToken cancellationToken)
    {
        options ??= new MediaOptions();
        MediaOptionsData data = options.ToData();
        MediaHandle handle = MediaHandle.Create(options.Account?.Handle ?? MediaAccountHandle.None);
        try
        {
            int status;
            using (cancellationToken.UnsafeRegister(static state => InterruptQuietly((MediaHandle)state!), handle))
                status = call(handle, &data).ThrowIfFailed();
            // Cancelled, possibly just before the registration ended: the reader would be unusable.
            if (status == MediaApi.Interrupted || cancellationToken.IsCancellationRequested)
                throw new OperationCanceledException(cancellationToken);
            return new MediaReader(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static void InterruptQuietly(MediaHandle handle)
    {
        try
        {
            MediaApi.lfr_media_interrupt(handle);
        }
        catch (ObjectDisposedException)
        {
            // A closed reader counts as interrupted.
        }
    }
}
