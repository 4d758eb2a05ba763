using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;
using LfrEngine.Memory;

// One device, one piece of work at a time; and what is left on it is counted.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace LfrEngine.DirectX.Tests;

/// <summary>The device of one test: ComputeSharp's stand-in, which executes shaders on the processor, or on Windows a real one. Asserts at its end that nothing is left on it.</summary>
internal sealed class Device : IDisposable
{
    private readonly long outstanding = DeviceMemory.OutstandingBuffers;

    public Device()
    {
        Context = GpuContext.OpenAny();
        Frames = new FrameStore(Context);
    }

    public GpuContext Context { get; }

    public FrameStore Frames { get; }

    /// <summary>A frame on the device, and how the engine sees it.</summary>
    public GpuFrame Upload(in FrameView host, out FrameView view)
    {
        GpuFrame frame = Frames.Upload(host);
        view = host.On(frame);
        return frame;
    }

    public float[] Read(GpuBuffer<float> buffer, int length)
    {
        var values = new float[length];
        Context.Use(gpu => buffer.Read(gpu, values));
        return values;
    }

    /// <summary>The largest difference; printed in the test's output, so that it can be quoted.</summary>
    public static float Largest(string what, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        float largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(float.IsFinite(actual[i]));
            largest = Math.Max(largest, Math.Abs(expected[i] - actual[i]));
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {largest:g3}");
        return largest;
    }

    public void Dispose()
    {
        Frames.Dispose();
        Assert.Equal(outstanding, DeviceMemory.OutstandingBuffers);
        Context.Dispose();
    }
}
