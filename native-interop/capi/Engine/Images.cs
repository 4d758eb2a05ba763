using LfrEngine.CApi.Interop;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Watchlists;

namespace LfrEngine.CApi.Engine;

/// <summary>Memory layout of the caller's pictures: <c>lfr_format</c>.</summary>
internal enum ImageFormat
{
    Grey = 1,
    I420 = 2,
    Nv12 = 3,
    Rgb = 4,
    Bgr = 5,
    File = 6,
    DmaBuf = 100,
    D3D11 = 101,
    D3D12 = 102,
}

/// <summary>The caller's picture, after its checks.</summary>
internal readonly unsafe struct CallerImage
{
    private const int MostSide = 16384;

    private readonly ImageData data;

    /// <summary>Checks everything that can be checked; a plane that is too short cannot be detected.</summary>
    public CallerImage(ImageData* image, string argument, bool fileAllowed)
    {
        Check.Sized(image, argument);
        data = *image;
        Check.Reserved(data.Reserved, $"{argument}.reserved");
        switch (Format)
        {
            case ImageFormat.DmaBuf or ImageFormat.D3D11 or ImageFormat.D3D12:
                throw new StatusException(Status.NotSupported, $"{argument}: pictures on a device ({Format}) are not supported: copy the planes to memory.");
            case ImageFormat.File when !fileAllowed:
                throw new StatusException(Status.NotSupported, $"{argument}: a camera takes frames, not picture files: decode it first.");
            case ImageFormat.File:
                Check.Given(data.Plane0, $"{argument}.plane[0]");
                Check.Range(data.SizeBytes, 1, WatchlistEnroller.MaximumPhotoBytes, $"{argument}.size_bytes");
                return;
            case < ImageFormat.Grey or > ImageFormat.File:
                throw Check.Bad($"{argument}.format {data.Format} is not an lfr_format.");
        }
        Check.Range(data.Width, 1, MostSide, $"{argument}.width");
        Check.Range(data.Height, 1, MostSide, $"{argument}.height");
        Check.Range(data.Matrix, 0, (int)ColourMatrix.Bt2020, $"{argument}.matrix");
        Check.Range(data.Range, 0, (int)ColourRange.Full, $"{argument}.range");
        for (int plane = 0; plane < PlaneCount; plane++)
        {
            Check.Given(Plane(plane), $"{argument}.plane[{plane}]");
            int least = RowBytes(plane);
            if (data.RowStride[plane] < least)
                throw Check.Bad($"{argument}.row_stride[{plane}] is {data.RowStride[plane]}; a row has {least} bytes.");
        }
    }

    public ImageFormat Format => (ImageFormat)data.Format;

    /// <summary>Whether the pipeline cannot read it where it lies.</summary>
    public bool IsConverted => Format is ImageFormat.Rgb or ImageFormat.Bgr;

    /// <summary>Bytes that <see cref="CopyTo"/> fills.</summary>
    public int CopyBytes
    {
        get
        {
            if (Format is ImageFormat.Rgb or ImageFormat.Bgr)
                return 3 * data.Width * data.Height;
            int bytes = 0;
            for (int plane = 0; plane < PlaneCount; plane++)
                bytes += RowBytes(plane) * RowCount(plane);
            return bytes;
        }
    }

    public ReadOnlySpan<byte> File => new(data.Plane0, (int)data.SizeBytes);

    /// <summary>Views the planes in place; not for RGB, BGR and files.</summary>
    public FrameView View => ViewOf([(nint)data.Plane0, (nint)data.Plane1, (nint)data.Plane2], [data.RowStride[0], data.RowStride[1], data.RowStride[2]]);

    /// <summary>Copies the picture; RGB and BGR become Y′, Cb, Cr at full size.</summary>
    /// <param name="copy"><see cref="CopyBytes"/> bytes.</param>
    /// <returns>The planes of the copy.</returns>
    public FrameView CopyTo(byte* copy)
    {
        if (Format is ImageFormat.Rgb or ImageFormat.Bgr)
            return Convert(copy);
        Span<nint> planes = stackalloc nint[3];
        Span<int> strides = stackalloc int[3];
        byte* to = copy;
        for (int plane = 0; plane < PlaneCount; plane++)
        {
            (planes[plane], strides[plane]) = ((nint)to, RowBytes(plane));
            for (int row = 0; row < RowCount(plane); row++, to += RowBytes(plane))
                new ReadOnlySpan<byte>(Plane(plane) + ((long)row * data.RowStride[plane]), RowBytes(plane)).CopyTo(new Span<byte>(to, RowBytes(plane)));
        }
        return ViewOf(planes, strides);
    }

    private int PlaneCount => Format switch { ImageFormat.I420 => 3, ImageFormat.Nv12 => 2, _ => 1 };

    private byte* Plane(int plane) => plane switch { 0 => data.Plane0, 1 => data.Plane1, _ => data.Plane2 };

    private int RowBytes(int plane) => (plane, Format) switch
    {
        (_, ImageFormat.Rgb or ImageFormat.Bgr) => 3 * data.Width,
        (0, _) => data.Width,
        (_, ImageFormat.Nv12) => (data.Width + 1) / 2 * 2,
        _ => (data.Width + 1) / 2,
    };

    private int RowCount(int plane) => plane == 0 ? data.Height : (data.Height + 1) / 2;

    // Chroma position of H.264 cameras.
    private FrameView ViewOf(ReadOnlySpan<nint> planes, ReadOnlySpan<int> strides) => new(
        Format switch { ImageFormat.Grey => PixelFormat.Grey, ImageFormat.I420 => PixelFormat.I420, _ => PixelFormat.Nv12 },
        data.Width, data.Height, planes, strides, (ColourMatrix)data.Matrix, (ColourRange)data.Range, ChromaLocation.Left);

    // The engine reads only Y′CbCr. BT.601 at full range and full size, as in JPEG, loses at most one grey level.
    private FrameView Convert(byte* copy)
    {
        int width = data.Width, height = data.Height, plane = width * height;
        int red = Format == ImageFormat.Rgb ? 0 : 2;
        byte* y = copy, u = copy + plane, v = u + plane;
        for (int row = 0; row < height; row++)
        {
            byte* from = data.Plane0 + ((long)row * data.RowStride[0]);
            for (int column = 0; column < width; column++, from += 3, y++, u++, v++)
            {
                // 16-bit fixed point; the weights of each line add up to 1 or 0.
                int r = from[red], g = from[1], b = from[2 - red];
                *y = (byte)(((19595 * r) + (38470 * g) + (7471 * b) + 32768) >> 16);
                *u = (byte)Math.Min(255, ((-11059 * r) - (21709 * g) + (32768 * b) + (128 << 16) + 32768) >> 16);
                *v = (byte)Math.Min(255, ((32768 * r) - (27439 * g) - (5329 * b) + (128 << 16) + 32768) >> 16);
            }
        }
        nint origin = (nint)copy;
        return new FrameView(PixelFormat.I444, width, height, [origin, origin + plane, origin + (2 * plane)], [width, width, width], ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre);
    }
}

/// <summary>The caller's picture during a call: in place, or, if it must be converted, a copy that is wiped.</summary>
internal sealed unsafe class StillImage : IDisposable
{
    private readonly HostBuffer<byte>? copy;
    private readonly MediaFrame? decoded;

    public StillImage(ImageData* image)
    {
        var caller = new CallerImage(image, "image", fileAllowed: true);
        switch (caller.Format)
        {
            case ImageFormat.File:
                if (PhotoFormat.NameOf(caller.File) is null)
                    throw new StatusException(Status.MediaUnusable, $"image is not a {PhotoFormat.All} file.");
                decoded = MediaReader.ReadPicture(caller.File);
                View = FrameLease.ViewOf(decoded);
                break;
            case ImageFormat.Rgb or ImageFormat.Bgr:
                copy = BufferPool.Rent<byte>(caller.CopyBytes);
                View = caller.CopyTo(copy.Pointer);
                break;
            default:
                View = caller.View;
                break;
        }
    }

    public FrameView View { get; }

    public void Dispose()
    {
        copy?.Dispose();
        decoded?.Dispose();
    }
}
