using LfrEngine.Frames;
using LfrEngine.Native.Media;

namespace LfrEngine.Tests.Frames;

/// <summary>A frame made by a test; planes in pinned memory, rows padded as asked.</summary>
internal sealed unsafe class TestFrame
{
    private readonly byte[][] planes;
    private readonly int[] strides;

    public TestFrame(PixelFormat format, int width, int height, ColourMatrix matrix = ColourMatrix.Bt601, ColourRange range = ColourRange.Full,
        ChromaLocation location = ChromaLocation.Centre, int padding = 0)
    {
        int count = format switch { PixelFormat.Grey => 1, PixelFormat.Nv12 => 2, _ => 3 };
        planes = new byte[count][];
        strides = new int[count];
        var pointers = new nint[count];
        for (int i = 0; i < count; i++)
        {
            bool halfX = i > 0 && format is PixelFormat.I420 or PixelFormat.Nv12 or PixelFormat.I422;
            bool halfY = i > 0 && format is PixelFormat.I420 or PixelFormat.Nv12;
            int samples = i > 0 && halfX ? (width + 1) / 2 : width;
            int rows = i > 0 && halfY ? (height + 1) / 2 : height;
            strides[i] = (samples * (i > 0 && format == PixelFormat.Nv12 ? 2 : 1)) + padding;
            planes[i] = GC.AllocateArray<byte>(strides[i] * rows, pinned: true);
            fixed (byte* first = planes[i])
                pointers[i] = (nint)first;
        }
        View = new FrameView(format, width, height, pointers, strides, matrix, range, location);
    }

    public FrameView View { get; }

    public Span<byte> Plane(int index) => planes[index];

    /// <summary>Sets each sample from the colour at its place; continuous luma coordinates, R′G′B′ 0…255.</summary>
    public TestFrame Paint(Func<double, double, (double R, double G, double B)> colour)
    {
        FrameView view = View;
        for (int y = 0; y < view.Height; y++)
        {
            for (int x = 0; x < view.Width; x++)
            {
                (double r, double g, double b) = colour(x + 0.5, y + 0.5);
                view.Y[(y * view.LumaStride) + x] = Round(ColourMath.FromRgb(view.Matrix, view.Range, r, g, b).Y);
            }
        }
        for (int y = 0; y < view.ChromaHeight; y++)
        {
            for (int x = 0; x < view.ChromaWidth; x++)
            {
                (double r, double g, double b) = colour((x + 0.5 - view.ChromaOffsetX) / view.ChromaScaleX, (y + 0.5 - view.ChromaOffsetY) / view.ChromaScaleY);
                (_, double cb, double cr) = ColourMath.FromRgb(view.Matrix, view.Range, r, g, b);
                view.U[(y * view.ChromaStride) + (x * view.ChromaStep)] = Round(cb);
                view.V[(y * view.ChromaStride) + (x * view.ChromaStep)] = Round(cr);
            }
        }
        return this;
    }

    private static byte Round(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}

/// <summary>The definitions of the recommendations, in double precision.</summary>
internal static class ColourMath
{
    public static (double Kr, double Kb) Weights(ColourMatrix matrix) => matrix switch
    {
        ColourMatrix.Bt601 => (0.299, 0.114),
        ColourMatrix.Bt709 => (0.2126, 0.0722),
        _ => (0.2627, 0.0593),
    };

    /// <summary>R′G′B′ 0…255 to Y′CbCr as 8-bit values, not rounded.</summary>
    public static (double Y, double Cb, double Cr) FromRgb(ColourMatrix matrix, ColourRange range, double r, double g, double b)
    {
        (double kr, double kb) = Weights(matrix);
        double y = (kr * r) + ((1 - kr - kb) * g) + (kb * b);
        double cb = (b - y) / (2 * (1 - kb)), cr = (r - y) / (2 * (1 - kr));
        return range == ColourRange.Full
            ? (y, cb + 128, cr + 128)
            : ((y * 219 / 255) + 16, (cb * 224 / 255) + 128, (cr * 224 / 255) + 128);
    }
}

/// <summary>Memory that ends where the next page cannot be read: a kernel that reads past it ends the process.</summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, PrivateAnonymous = 0x22;

    private readonly nint mapped;
    private readonly nuint size;

    public GuardedMemory(int bytes)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint usable = ((nuint)bytes + page - 1) / page * page;
        size = usable + page;
        mapped = Map(0, size, ReadWrite, PrivateAnonymous, -1, 0);
        if (mapped == -1 || Protect(mapped + (nint)usable, page, 0) != 0)
            throw new InsufficientMemoryException();
        Start = (byte*)mapped + (usable - (nuint)bytes);
    }

    public byte* Start { get; }

    public void Dispose() => _ = Unmap(mapped, size);

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
