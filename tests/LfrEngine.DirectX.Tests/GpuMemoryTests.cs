using LfrEngine.Alignment;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Frames;

namespace LfrEngine.DirectX.Tests;

/// <summary>What lies on the device is cleared there, and read back to prove it.</summary>
public sealed unsafe class GpuMemoryTests
{
    [Fact]
    public void Buffer_New_IsZero()
    {
        using var device = new Device();
        using var buffer = new GpuBuffer<float>(device.Context, 1000);
        Assert.All(device.Read(buffer, 1000), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Buffer_Cleared_ReadsZero()
    {
        using var device = new Device();
        using var buffer = new GpuBuffer<float>(device.Context, 1000);
        float[] poison = [.. Enumerable.Repeat(7.25f, 1000)];
        device.Context.Use(gpu => buffer.Upload(gpu, poison));
        Assert.Equal(poison, device.Read(buffer, 1000));
        (long wiped, long bytes) = (DeviceMemory.WipedBuffers, DeviceMemory.WipedBytes);
        device.Context.Use(gpu => gpu.Clear(buffer));
        Assert.All(device.Read(buffer, 1000), v => Assert.Equal(0, v));
        Assert.Equal((wiped + 1, bytes + 4000), (DeviceMemory.WipedBuffers, DeviceMemory.WipedBytes));
    }

    [Fact]
    public void Staging_AfterTheCopy_IsZero()
    {
        using var device = new Device();
        using var buffer = new GpuBuffer<float>(device.Context, 500);
        float[] poison = [.. Enumerable.Repeat(3f, 500)];
        device.Context.Use(gpu =>
        {
            buffer.Upload(gpu, poison);
            Assert.Equal(-1, buffer.Stage(gpu).IndexOfAnyExcept(0f));
            var back = new float[500];
            buffer.Read(gpu, back);
            Assert.Equal(poison, back);
            Assert.Equal(-1, buffer.ReadBackSpan.IndexOfAnyExcept(0f));
        });
    }

    /// <summary>The same memory serves the next frame, and nothing of the one before is in it.</summary>
    [Fact]
    public void Frame_Disposed_IsClearedOnTheDevice()
    {
        using var device = new Device();
        TestFrame picture = ShaderParityTests.Noise(PixelFormat.Nv12, 64, 48);
        long wiped = DeviceMemory.WipedBuffers;
        GpuFrame frame = device.Upload(picture.View, out _);
        const int Bytes = 64 * 48 * 3 / 2;
        frame.Dispose();
        frame.Dispose();
        Assert.Equal(wiped + 1, DeviceMemory.WipedBuffers);
        using GpuBuffer<uint> again = device.Frames.Take(Bytes);
        var words = new uint[Bytes / 4];
        device.Context.Use(gpu => again.Read(gpu, words));
        Assert.All(words, w => Assert.Equal(0u, w));
    }

    /// <summary>Only what is asked for comes back, from wherever it lies.</summary>
    [Fact]
    public void Buffer_PartRead_CopiesNoMore()
    {
        using var device = new Device();
        using var buffer = new GpuBuffer<float>(device.Context, 1000);
        var part = new float[3];
        device.Context.Use(gpu =>
        {
            buffer.Upload(gpu, [.. Enumerable.Range(0, 1000).Select(i => (float)i)]);
            long before = gpu.BytesRead;
            buffer.Read(gpu, part, first: 500);
            Assert.Equal(12, gpu.BytesRead - before);
            Assert.Equal(3, buffer.ReadBackSpan.Length);
            // The rest stays as it is.
            buffer.Upload(gpu, [-1f]);
        });
        Assert.Equal([500f, 501f, 502f], part);
        Assert.Equal([-1f, 1f, 2f], device.Read(buffer, 3));
    }

    /// <summary>A live picture is larger than a crop; the crops after it cost what crops cost.</summary>
    [Fact]
    public void Crop_AfterALivePicture_ReadsACrop()
    {
        using var device = new Device();
        TestFrame picture = ShaderParityTests.Noise(PixelFormat.Nv12, 64, 48);
        using GpuFrame frame = device.Upload(picture.View, out FrameView view);
        using HostBuffer<float> live = BufferPool.Rent<float>(3 * 320 * 240);
        frame.Resample(view, new Detection.FaceBox(0, 0, 64, 48), 320, 240, live.Pointer);
        long bytes = DeviceMemory.WipedBytes;
        device.Context.Use(gpu =>
        {
            long before = gpu.BytesRead;
            FaceAligner.Align(view, new AlignmentTransform(1, 0, 0, 0), new Models.ModelInput("data", Models.ChannelOrder.Bgr, [0], [1]), live.Pointer);
            Assert.Equal(4L * FaceAligner.CropLength, gpu.BytesRead - before);
        });
        // The face and what was measured of it.
        Assert.Equal(4L * (FaceAligner.CropLength + Shaders.FaceSums.Length), DeviceMemory.WipedBytes - bytes);
    }

    /// <summary>The scratch that a crop passes through on its way back is cleared with it.</summary>
    [Fact]
    public void Crop_ReadBack_LeavesNothingInTheScratch()
    {
        using var device = new Device();
        TestFrame picture = ShaderParityTests.Noise(PixelFormat.Nv12, 64, 48);
        using GpuFrame frame = device.Upload(picture.View, out FrameView view);
        using HostBuffer<float> planes = BufferPool.Rent<float>(3 * 32 * 32);
        frame.Resample(view, new Detection.FaceBox(0, 0, 64, 48), 32, 32, planes.Pointer);
        Assert.NotEqual(-1, planes.Span.IndexOfAnyExcept(0f));
        Assert.All(device.Read(device.Frames.Patch(1), planes.Length), v => Assert.Equal(0, v));
    }

    [Fact]
    public void Context_Disposed_ClearsWhatOthersLeft()
    {
        var device = new Device();
        var left = new GpuBuffer<float>(device.Context, 10);
        device.Context.Use(gpu => left.Upload(gpu, [1f, 2f]));
        (long wiped, long lost) = (DeviceMemory.WipedBuffers, DeviceMemory.LostBuffers);
        device.Frames.Dispose();
        device.Context.Dispose();
        Assert.Equal((wiped + 1, lost), (DeviceMemory.WipedBuffers, DeviceMemory.LostBuffers));
        left.Dispose();
    }
}
