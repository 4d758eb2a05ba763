using System.Runtime.InteropServices;
using LfrEngine.Alignment;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;

namespace LfrEngine.DirectX.Decoding;

/// <summary>Frames on the device: their buffers, which are cleared when a frame ends and then used again, and the scratch for what is cut out of them.</summary>
/// <remarks>Its members are for work inside <see cref="GpuContext.Use{T}"/>. Dispose it after its frames.</remarks>
internal sealed class FrameStore(GpuContext context) : IDisposable
{
    private const int BuffersKept = 8;

    private readonly Stack<GpuBuffer<uint>> free = new();
    private readonly Stack<GpuBuffer<float>> freeRegions = new();
    private readonly GpuBuffer<float> cropPatch = new(context, FaceAligner.CropLength);
    private GpuBuffer<float>? picturePatch;

    public GpuContext Context => context;

    /// <summary>An all-zero buffer of at least this size; the caller gives it back cleared.</summary>
    public GpuBuffer<uint> Take(int bytes)
    {
        int words = (bytes + 3) / 4;
        while (free.TryPop(out GpuBuffer<uint>? kept))
        {
            if (kept.Length == words)
                return kept;
            // Another camera's size, or the picture changed: sizes that are used come back.
            kept.Dispose();
        }
        return new GpuBuffer<uint>(context, words);
    }

    /// <summary>Takes a cleared buffer back.</summary>
    public void Return(GpuBuffer<uint> buffer)
    {
        if (free.Count < BuffersKept)
            free.Push(buffer);
        else
            buffer.Dispose();
    }

    /// <summary>An all-zero buffer for a region that is kept; the caller gives it back cleared.</summary>
    public GpuBuffer<float> TakeRegion(int length)
    {
        while (freeRegions.TryPop(out GpuBuffer<float>? kept))
        {
            if (kept.Length == length)
                return kept;
            kept.Dispose();
        }
        return new GpuBuffer<float>(context, length);
    }

    /// <summary>Takes a cleared buffer back.</summary>
    public void Return(GpuBuffer<float> region)
    {
        if (freeRegions.Count < BuffersKept)
            freeRegions.Push(region);
        else
            region.Dispose();
    }

    /// <summary>Scratch for one patch of three planes. Clearing it costs what it is long, so a crop does not use what a live picture needs.</summary>
    public GpuBuffer<float> Patch(int length)
    {
        if (length <= cropPatch.Length)
            return cropPatch;
        if (picturePatch is null || picturePatch.Length < length)
        {
            picturePatch?.Dispose();
            picturePatch = new GpuBuffer<float>(context, length);
        }
        return picturePatch;
    }

    /// <summary>Copies a frame from host memory to the device.</summary>
    /// <param name="host">Borrowed; with colour.</param>
    /// <returns>Owned by the caller.</returns>
    public unsafe GpuFrame Upload(in FrameView host)
    {
        bool interleaved = host.ChromaStep == 2;
        int chromaRow = interleaved ? 2 * host.ChromaWidth : host.ChromaWidth;
        int luma = host.Width * host.Height, chroma = chromaRow * host.ChromaHeight;
        var layout = new FrameLayout(host.Width, luma, interleaved ? luma + 1 : luma + chroma, chromaRow, host.ChromaStep);
        FrameView view = host;
        return context.Use(gpu =>
        {
            GpuBuffer<uint> buffer = Take(luma + (interleaved ? chroma : 2 * chroma));
            try
            {
                Span<byte> bytes = MemoryMarshal.AsBytes(buffer.Stage(gpu));
                CopyRows(view.Y, view.LumaStride, view.Width, view.Height, bytes);
                CopyRows(view.U, view.ChromaStride, chromaRow, view.ChromaHeight, bytes[luma..]);
                if (!interleaved)
                    CopyRows(view.V, view.ChromaStride, chromaRow, view.ChromaHeight, bytes[(luma + chroma)..]);
                buffer.Upload(gpu, buffer.Length);
                return new GpuFrame(this, gpu, buffer, layout);
            }
            catch
            {
                buffer.Dispose();
                throw;
            }
        });
    }

    public void Dispose()
    {
        while (free.TryPop(out GpuBuffer<uint>? kept))
            kept.Dispose();
        while (freeRegions.TryPop(out GpuBuffer<float>? region))
            region.Dispose();
        cropPatch.Dispose();
        picturePatch?.Dispose();
    }

    private static unsafe void CopyRows(byte* from, int stride, int rowBytes, int rows, Span<byte> to)
    {
        for (int y = 0; y < rows; y++)
            new ReadOnlySpan<byte>(from + ((long)y * stride), rowBytes).CopyTo(to.Slice(y * rowBytes, rowBytes));
    }
}

/// <summary>Where the planes of a frame lie in its buffer, bytes; luma begins at 0.</summary>
/// <param name="LumaPitch">From one luma row to the next.</param>
/// <param name="FirstU">First Cb sample.</param>
/// <param name="FirstV">First Cr sample.</param>
/// <param name="ChromaPitch">From one chroma row to the next.</param>
/// <param name="ChromaStep">From one chroma sample to the next.</param>
internal readonly record struct FrameLayout(int LumaPitch, int FirstU, int FirstV, int ChromaPitch, int ChromaStep);
