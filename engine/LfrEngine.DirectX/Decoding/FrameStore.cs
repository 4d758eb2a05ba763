using System.Runtime.InteropServices;
using ComputeSharp;
using LfrEngine.Cover;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;

namespace LfrEngine.DirectX.Decoding;

/// <summary>Frames on the device: their buffers, which are cleared when a frame ends and then used again, and the scratch for what is cut out of them.</summary>
/// <remarks>Its members are for work inside <see cref="GpuContext.Use{T}"/>. Dispose it after its frames.</remarks>
internal sealed class FrameStore(GpuContext context) : IDisposable
{
    private readonly ClearedBuffers<uint> frames = new(context);
    private GpuBuffer<float>? patch, coverWeights;
    private GpuDevice? weightsOn;

    public GpuContext Context => context;

    /// <summary>Regions of frames that stay on the device.</summary>
    public ClearedBuffers<float> Regions { get; } = new(context);

    /// <summary>Aligned faces.</summary>
    public ClearedBuffers<float> Faces { get; } = new(context);

    /// <summary>The weights of <see cref="CoverJudge"/>, as <see cref="Shaders.CoverUnitsShader"/> says; they tell of nobody.</summary>
    public ReadWriteBuffer<float> CoverWeightsOn(GpuDevice gpu)
    {
        if (weightsOn != gpu)
        {
            CoverWeights w = CoverWeights.Default;
            coverWeights ??= new GpuBuffer<float>(context, w.First.Length + w.FirstBias.Length + w.Second.Length + w.SecondBias.Length);
            coverWeights.Upload(gpu, [.. w.First, .. w.FirstBias, .. w.Second, .. w.SecondBias]);
            weightsOn = gpu;
        }
        return coverWeights!.On(gpu);
    }

    /// <summary>An all-zero buffer for a frame of so many bytes.</summary>
    public GpuBuffer<uint> Take(int bytes) => frames.Take((bytes + 3) / 4);

    /// <summary>Clears a frame's buffer and takes it back.</summary>
    public void Release(GpuBuffer<uint> frame) => frames.Release(frame);

    /// <summary>Scratch for one patch of three planes that is read back: a live picture.</summary>
    public GpuBuffer<float> Patch(int length)
    {
        if (patch is null || patch.Length < length)
        {
            patch?.Dispose();
            patch = new GpuBuffer<float>(context, length);
        }
        return patch;
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
        frames.Dispose();
        Regions.Dispose();
        Faces.Dispose();
        patch?.Dispose();
        coverWeights?.Dispose();
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
