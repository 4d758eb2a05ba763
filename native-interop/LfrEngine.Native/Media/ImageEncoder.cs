namespace LfrEngine.Native.Media;

/// <summary>File formats of encoded pictures.</summary>
public enum ImageCodec
{
    /// <summary>Lossy; full-range BT.601.</summary>
    Jpeg = 0,

    /// <summary>Lossless.</summary>
    Png = 1,
}

/// <summary>A picture to encode: planes of the caller, borrowed for the call.</summary>
public readonly ref struct ImagePlanes
{
    // LFR_PIXEL_RGB24: supported only by the encoder, so not in PixelFormat.
    private const int Rgb24Format = 5;

    private ImagePlanes(int format, int width, int height, ReadOnlySpan<byte> first, int firstStride,
        ReadOnlySpan<byte> second = default, ReadOnlySpan<byte> third = default, int chromaStride = 0)
    {
        Format = format;
        Width = width;
        Height = height;
        First = first;
        Second = second;
        Third = third;
        FirstStride = firstStride;
        ChromaStride = chromaStride;
    }

    internal int Format { get; }

    internal int Width { get; }

    internal int Height { get; }

    internal ReadOnlySpan<byte> First { get; }

    internal ReadOnlySpan<byte> Second { get; }

    internal ReadOnlySpan<byte> Third { get; }

    internal int FirstStride { get; }

    internal int ChromaStride { get; }

    /// <summary>Interleaved R, G, B; for JPEG and PNG.</summary>
    /// <param name="pixels">uint8 [height, rowStride], of which 3·width bytes of each row count.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    public static ImagePlanes Rgb24(ReadOnlySpan<byte> pixels, int width, int height, int rowStride)
    {
        Check(pixels, width * 3L, height, rowStride);
        return new(Rgb24Format, width, height, pixels, rowStride);
    }

    /// <summary>Full-range grey; for JPEG and PNG.</summary>
    /// <param name="pixels">uint8 [height, rowStride], of which width bytes of each row count.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    public static ImagePlanes Grey(ReadOnlySpan<byte> pixels, int width, int height, int rowStride)
    {
        Check(pixels, width, height, rowStride);
        return new((int)PixelFormat.Grey, width, height, pixels, rowStride);
    }

    /// <summary>Full-range BT.601 planes; for JPEG.</summary>
    /// <param name="format">I420, I422 or I444.</param>
    /// <param name="y">uint8 [height, yStride].</param>
    /// <param name="u">uint8 [chroma height, chromaStride].</param>
    /// <param name="v">As <paramref name="u"/>.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="yStride">Bytes from one row of Y to the next.</param>
    /// <param name="chromaStride">Bytes from one row of U or V to the next.</param>
    public static ImagePlanes Yuv(PixelFormat format, ReadOnlySpan<byte> y, ReadOnlySpan<byte> u, ReadOnlySpan<byte> v,
        int width, int height, int yStride, int chromaStride)
    {
        if (format is not (PixelFormat.I420 or PixelFormat.I422 or PixelFormat.I444))
            throw new ArgumentOutOfRangeException(nameof(format), format, "JPEG supports I420, I422 and I444.");
        int chromaWidth = format == PixelFormat.I444 ? width : (width + 1) / 2;
        int chromaHeight = format == PixelFormat.I420 ? (height + 1) / 2 : height;
        Check(y, width, height, yStride);
        Check(u, chromaWidth, chromaHeight, chromaStride);
        Check(v, chromaWidth, chromaHeight, chromaStride);
        return new((int)format, width, height, y, yStride, u, v, chromaStride);
    }

    private static void Check(ReadOnlySpan<byte> plane, long rowBytes, int rows, int rowStride)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(rowStride, rowBytes);
        if (plane.Length < (rows - 1L) * rowStride + rowBytes)
            throw new ArgumentException($"A plane of {plane.Length} bytes is too short for {rows} rows of {rowBytes}, {rowStride} apart.", nameof(plane));
    }
}

/// <summary>Encodes pictures of one size and format, one or many: an alert's pair, a camera's live view.</summary>
/// <remarks>The encoder's copies of a picture are overwritten by the next one; disposing overwrites those of the last, which takes as long as a few pictures. Not thread-safe.</remarks>
public sealed unsafe class ImageEncoder : IDisposable
{
    private readonly EncoderHandle encoder;

    /// <summary>Creates an encoder; the first picture determines size and format.</summary>
    /// <param name="codec">JPEG supports all planes; PNG supports RGB and grey.</param>
    /// <param name="quality">1 (small) to 100 (best); PNG ignores it.</param>
    /// <exception cref="MediaException">Quality or codec is out of range.</exception>
    public ImageEncoder(ImageCodec codec, int quality = 90) => encoder = EncoderHandle.Open(codec, quality);

    /// <summary>Buffer size that is sufficient for any JPEG or PNG of this size.</summary>
    /// <remarks>PNG: three bytes a pixel and a filter byte a row, which deflate enlarges by at most 0.1 %. JPEG: three
    /// full-size planes padded to 16 pixels, at most two bytes a sample. The constant covers headers and tables.</remarks>
    public static int MaxSizeBytes(int width, int height) =>
        checked((width + 15) / 16 * 16 * ((height + 15) / 16 * 16) * 6 + 4096);

    /// <summary>Encodes a picture as a file.</summary>
    /// <param name="image">Borrowed for the call.</param>
    /// <param name="destination">Receives the file. Borrowed for the call.</param>
    /// <param name="sizeBytes">Bytes written, or needed when the result is false.</param>
    /// <returns>Whether the destination was large enough.</returns>
    /// <exception cref="MediaException">The picture cannot be encoded, or is of another size or format than the first.</exception>
    public bool TryEncode(ImagePlanes image, Span<byte> destination, out int sizeBytes)
    {
        fixed (byte* first = image.First, second = image.Second, third = image.Third, target = destination)
        {
            ImageData data = new()
            {
                StructSize = (uint)sizeof(ImageData),
                Format = image.Format,
                Width = image.Width,
                Height = image.Height,
                Matrix = (int)ColourMatrix.Bt601,
                Range = (int)ColourRange.Full,
            };
            data.Plane[0] = (nint)first;
            data.Plane[1] = (nint)second;
            data.Plane[2] = (nint)third;
            data.RowStride[0] = image.FirstStride;
            data.RowStride[1] = image.ChromaStride;
            data.RowStride[2] = image.ChromaStride;
            long written;
            int status = MediaApi.lfr_encoder_encode(encoder, &data, target, destination.Length, &written);
            sizeBytes = checked((int)written);
            if (status == (int)MediaError.BufferTooSmall)
                return false;
            status.ThrowIfFailed();
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => encoder.Dispose();
}
