using ComputeSharp;
using LfrEngine.DirectX.Devices;
using LfrEngine.Matching;

namespace LfrEngine.DirectX.Search;

/// <summary>Unit-length embeddings on the device, as <see cref="Shaders.MatchShader"/> reads them: rows of an even length, whole groups of them, zeros where there is no probe or no element.</summary>
/// <param name="context">Borrowed.</param>
/// <param name="most">Embeddings, at the most.</param>
/// <param name="length">Elements of an embedding.</param>
internal sealed unsafe class GpuProbes(GpuContext context, int most, int length) : IDeviceProbes, IClearable
{
    /// <summary>Probes that one thread compares.</summary>
    public const int Group = 4;

    private readonly GpuBuffer<float> rows = new(context, (most + Group - 1) / Group * Group * StrideOf(length));
    private GpuDevice? filledOn;

    public GpuContext Context => context;

    /// <summary>Elements of a row.</summary>
    public int Stride => StrideOf(length);

    /// <summary>Elements that a row of so long embeddings takes.</summary>
    public static int StrideOf(int length) => (length + 1) / 2 * 2;

    /// <summary>The rows, for a shader to fill.</summary>
    public ReadWriteBuffer<float> BeginFill(GpuDevice gpu)
    {
        filledOn = gpu;
        return rows.On(gpu);
    }

    /// <summary>Fills rows from host memory.</summary>
    public void Upload(GpuDevice gpu, ReadOnlySpan<float> probes)
    {
        Span<float> to = rows.Stage(gpu);
        to.Clear();
        for (int p = 0; p * length < probes.Length; p++)
            probes.Slice(p * length, length).CopyTo(to[(p * Stride)..]);
        rows.Upload(gpu, rows.Length);
        filledOn = gpu;
    }

    /// <summary>The rows; null on another device than they were filled on.</summary>
    public ReadWriteBuffer<float>? On(GpuDevice gpu) => filledOn == gpu ? rows.On(gpu) : null;

    public void Read(int first, Span<float> unit)
    {
        unit.Clear();
        fixed (float* start = unit)
        {
            float* to = start;
            int count = unit.Length / length;
            try
            {
                context.Use(gpu =>
                {
                    if (filledOn == gpu)
                        Read(gpu, first, to, count);
                });
            }
            catch (DeviceLostException)
            {
                // Gone with the device.
            }
        }
    }

    /// <summary>Reads embeddings back from the device that they were filled on.</summary>
    public void Read(GpuDevice gpu, int first, float* to, int count)
    {
        // One copy where rows have no gap; one by one otherwise.
        int together = Stride == length ? count : 1;
        for (int p = 0; p < count; p += together)
            rows.Read(gpu, new Span<float>(to + (p * length), together * length), (first + p) * Stride);
    }

    public void Wipe()
    {
        try
        {
            if (filledOn is not null)
                context.Use(gpu => gpu.Clear(this));
        }
        catch (DeviceLostException)
        {
            // Gone with the device.
        }
        filledOn = null;
    }

    public void RecordClear(in ComputeContext list) => rows.RecordClear(in list);

    public void CountCleared() => rows.CountCleared();

    public void Dispose() => rows.Dispose();
}
