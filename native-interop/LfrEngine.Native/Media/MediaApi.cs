using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LfrEngine.Native.Memory;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Native.Media;

/// <summary>The C functions of lfr_media.h; see there for the contract of each.</summary>
internal static unsafe partial class MediaApi
{
    internal const int Ok = 0;
    internal const int End = 1;
    internal const int Interrupted = 2;

    private const string Library = "lfr_media";
    private const string PathVariable = "LFR_MEDIA_LIBRARY";
    private static readonly string FileName = OperatingSystem.IsWindows() ? "lfr_media.dll" : "liblfr_media.so";

    static MediaApi()
    {
        NativeLibrary.SetDllImportResolver(typeof(MediaApi).Assembly, Resolve);
        lfr_media_share_budget(MemoryBudget.Numbers);
    }

    [LibraryImport(Library)]
    internal static partial void lfr_media_share_budget(long* budget);

    [LibraryImport(Library)]
    internal static partial byte* lfr_media_last_error();

    [LibraryImport(Library)]
    internal static partial int lfr_media_account_open(nint* account);

    [LibraryImport(Library)]
    internal static partial void lfr_media_account_close(nint account);

    [LibraryImport(Library)]
    internal static partial int lfr_media_create(MediaAccountHandle account, nint* media);

    [LibraryImport(Library)]
    internal static partial int lfr_media_url_login(byte* url, int* start, int* length);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int lfr_media_open(MediaHandle media, string url, MediaOptionsData* options);

    [LibraryImport(Library)]
    internal static partial int lfr_media_open_memory(MediaHandle media, byte* data, long size, MediaOptionsData* options);

    [LibraryImport(Library)]
    internal static partial int lfr_media_interrupt(MediaHandle media);

    [LibraryImport(Library)]
    internal static partial int lfr_media_read(MediaHandle media, nint* frame);

    [LibraryImport(Library)]
    internal static partial int lfr_media_get_info(MediaHandle media, MediaInfoData* info);

    [LibraryImport(Library)]
    internal static partial int lfr_media_count_residue(MediaHandle media, long* bytes);

    [LibraryImport(Library)]
    internal static partial int lfr_media_scrub(MediaHandle media);

    [LibraryImport(Library)]
    internal static partial void lfr_media_close(nint media);

    [LibraryImport(Library)]
    internal static partial int lfr_frame_get_info(nint frame, FrameInfoData* info);

    [LibraryImport(Library)]
    internal static partial void lfr_frame_release(nint frame);

    [LibraryImport(Library)]
    internal static partial int lfr_media_get_stats(MediaAccountHandle account, MediaStatsData* stats);

    [LibraryImport(Library)]
    internal static partial int lfr_encoder_open(int codec, int quality, nint* encoder);

    [LibraryImport(Library)]
    internal static partial int lfr_encoder_encode(EncoderHandle encoder, ImageData* image, byte* destination, long capacity, long* written);

    [LibraryImport(Library)]
    internal static partial void lfr_encoder_close(nint encoder);

    [LibraryImport(Library)]
    internal static partial byte* lfr_media_versions();

    [LibraryImport(Library)]
    internal static partial int lfr_media_check_vaapi();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int lfr_media_has_decoder(string name);

    /// <summary>Returns 0, 1 and 2; throws with the native message for a negative status.</summary>
    internal static int ThrowIfFailed(this int status)
    {
        if (status < 0)
            throw new MediaException((MediaError)status, LastError());
        return status;
    }

    internal static string LastError() => Marshal.PtrToStringUTF8((nint)lfr_media_last_error()) ?? "";

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Library)
            return 0;
        string beside = Path.Combine(AppContext.BaseDirectory, FileName);
        if (NativeLibrary.TryLoad(beside, out nint library))
            return library;
        string? configured = Environment.GetEnvironmentVariable(PathVariable);
        if (!string.IsNullOrEmpty(configured) && NativeLibrary.TryLoad(configured, out library))
            return library;
        // Of a package it lies among the program's assets, of a .deb where the system keeps libraries.
        if (NativeLibrary.TryLoad(Library, assembly, null, out library))
            return library;
        throw new DllNotFoundException(
            $"{FileName} could not be loaded from {beside}" +
            (string.IsNullOrEmpty(configured) ? $" ({PathVariable} is not set)" : $" or from {PathVariable}={configured}") +
            ". Run ./lfr doctor, or build it: cmake -S native-interop/media -B build/media && cmake --build build/media. " +
            "If the file is there, an FFmpeg library it was built against is missing.");
    }
}

/// <summary>Owns an <c>lfr_media_account</c>; <see cref="None"/> means the process.</summary>
internal sealed class MediaAccountHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    internal static MediaAccountHandle None { get; } = new();

    internal static unsafe MediaAccountHandle Open()
    {
        MediaAccountHandle handle = new();
        nint account;
        MediaApi.lfr_media_account_open(&account).ThrowIfFailed();
        handle.SetHandle(account);
        return handle;
    }

    protected override bool ReleaseHandle()
    {
        MediaApi.lfr_media_account_close(handle);
        return true;
    }
}

/// <summary>Owns an <c>lfr_media</c>.</summary>
internal sealed class MediaHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    internal static unsafe MediaHandle Create(MediaAccountHandle account)
    {
        MediaHandle handle = new();
        nint media;
        MediaApi.lfr_media_create(account, &media).ThrowIfFailed();
        handle.SetHandle(media);
        return handle;
    }

    protected override bool ReleaseHandle()
    {
        MediaApi.lfr_media_close(handle);
        return true;
    }
}

/// <summary>Owns an <c>lfr_encoder</c>.</summary>
internal sealed class EncoderHandle() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    internal static unsafe EncoderHandle Open(ImageCodec codec, int quality)
    {
        EncoderHandle handle = new();
        nint encoder;
        MediaApi.lfr_encoder_open((int)codec, quality, &encoder).ThrowIfFailed();
        handle.SetHandle(encoder);
        return handle;
    }

    protected override bool ReleaseHandle()
    {
        MediaApi.lfr_encoder_close(handle);
        return true;
    }
}

/// <summary><c>lfr_media_options</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MediaOptionsData
{
    public uint StructSize;
    public int OpenTimeoutMs;
    public int ReadTimeoutMs;
    public int DecoderThreads;
    public int RtspTransport;
    public int LowDelay;
    public int PictureIntervalUs;
    public int RotateDegrees;
    public int Mirror;
    public int Vaapi;
}

/// <summary><c>lfr_media_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MediaInfoData
{
    public uint StructSize;
    public int Width;
    public int Height;
    public int FrameRateNum;
    public int FrameRateDen;
    public int IsLive;
    public int IsTruncated;
    public int Reserved;
    public long Frames;
    public long Corrupt;
    public long DurationUs;
    public long ReadUs;
    public Name Container;
    public Name Codec;
    public Name PixelFormat;
    public Sentence LastDamage;

    [InlineArray(32)]
    internal struct Name
    {
        private byte first;
    }

    [InlineArray(256)]
    internal struct Sentence
    {
        private byte first;
    }
}

/// <summary><c>lfr_frame_info</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FrameInfoData
{
    public uint StructSize;
    public int Format;
    public int Width;
    public int Height;
    public Pointers Plane;
    public Strides RowStride;
    public int Matrix;
    public int Range;
    public int ChromaLocation;
    public int RotationDegrees;
    public int Mirrored;
    public int IsKeyFrame;
    public int IsCorrupt;
    public long Index;
    public long PtsUs;
    public long ArrivalNs;

    [InlineArray(3)]
    internal struct Pointers
    {
        private nint first;
    }

    [InlineArray(3)]
    internal struct Strides
    {
        private int first;
    }
}

/// <summary><c>lfr_image</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ImageData
{
    public uint StructSize;
    public int Format;
    public int Width;
    public int Height;
    public FrameInfoData.Pointers Plane;
    public FrameInfoData.Strides RowStride;
    public int Matrix;
    public int Range;
    public int Reserved;
}

/// <summary><c>lfr_media_stats</c></summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MediaStatsData
{
    public uint StructSize;
    public uint Reserved;
    public long BuffersOutstanding;
    public long BytesAllocated;
    public long BytesUnlocked;
    public long BuffersWiped;
    public long PacketsWiped;
    public long PacketsShared;
    public long PacketsOutstanding;
    public long Scrubs;
}
