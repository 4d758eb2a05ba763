using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Search;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Tests.Frames;

namespace LfrEngine.DirectX.Tests;

/// <summary>A device that goes away takes what lay on it along, and nothing else. The stand-in refuses a new device as long as anything of the old one is left, as Direct3D does.</summary>
public sealed unsafe class DeviceLossTests
{
    private static readonly ModelInput Input = new("input", ChannelOrder.Rgb, [0, 0, 0], [1, 1, 1]);

    [Fact]
    public void Use_DeviceLost_IsReplaced()
    {
        using var device = new Device();
        using var buffer = new GpuBuffer<float>(device.Context, 4);
        device.Context.Use(gpu => buffer.Upload(gpu, [1f, 2f, 3f, 4f]));
        Lose(device, DeviceLostReason.DeviceHung);
        DeviceLostException told = Assert.Throws<DeviceLostException>(() => device.Read(buffer, 4));
        Assert.Contains("DXGI_ERROR_DEVICE_HUNG", told.Message, StringComparison.Ordinal);
        Assert.Equal(1, device.Context.Losses);
        // The buffer starts anew, empty.
        Assert.Equal([0f, 0f, 0f, 0f], device.Read(buffer, 4));
    }

    [Fact]
    public void Search_DeviceLost_FindsTheSame()
    {
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 20, 60, 64);
        float[] probes = GpuSearchTests.Probes(gallery, 5, 2);
        Assert.NotEqual(0, GpuSearchTests.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.2f), 4));
        Lose(device, DeviceLostReason.DeviceRemoved);
        Assert.NotEqual(0, GpuSearchTests.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.2f), 4));
        Assert.Equal(1, device.Context.Losses);
    }

    [Fact]
    public void Frame_DeviceLost_IsEmptyAndTheNextIsNot()
    {
        using var device = new Device();
        TestFrame picture = ShaderParityTests.Noise(PixelFormat.Nv12, 64, 48);
        GpuFrame before = device.Upload(picture.View, out FrameView view);
        Lose(device, DeviceLostReason.DeviceReset);
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        var transform = new AlignmentTransform(1, 0, 0, 0);
        for (int i = 0; i < 2; i++)
        {
            crop.Span.Fill(5);
            FaceAligner.Align(view, transform, Input, crop.Pointer);
            Assert.Equal(-1, crop.Span.IndexOfAnyExcept(0f));
        }
        before.Dispose();
        using GpuFrame after = device.Upload(picture.View, out view);
        FaceAligner.Align(view, transform, Input, crop.Pointer);
        Assert.NotEqual(-1, crop.Span.IndexOfAnyExcept(0f));
    }

    /// <summary>Lost while there is a frame that its holder disposes later: what cannot be cleared is counted as lost, not as wiped.</summary>
    [Fact]
    public void Dispose_AfterTheLoss_CountsLostNotWiped()
    {
        using var device = new Device();
        var buffer = new GpuBuffer<float>(device.Context, 8);
        device.Context.Use(gpu => buffer.Upload(gpu, [1f]));
        (long wiped, long lost) = (DeviceMemory.WipedBuffers, DeviceMemory.LostBuffers);
        Lose(device, DeviceLostReason.DeviceRemoved);
        buffer.Dispose();
        Assert.Equal((wiped, lost + 1), (DeviceMemory.WipedBuffers, DeviceMemory.LostBuffers));
    }

    /// <summary>Of the second of two adapters; after its driver was updated it has another LUID, and the same name.</summary>
    [Fact]
    public void Context_OfAChosenAdapter_KeepsToItWhenItsDriverIsUpdated()
    {
        using (GpuContext first = GpuContext.OpenAny())
            Assert.Equal("ComputeSharp stand-in", first.AdapterName);
        using GpuContext second = GpuContext.OpenAny((2, "Second stand-in"));
        Assert.Equal("Second stand-in", second.AdapterName);
        GraphicsDevice.RenewLuids();
        Assert.Throws<DeviceLostException>(() => second.Use(gpu =>
        {
            gpu.Graphics.Lose(DeviceLostReason.DeviceRemoved);
            gpu.Graphics.AllocateReadWriteBuffer<int>(1);
        }));
        Assert.Equal((1, "Second stand-in"), (second.Losses, second.AdapterName));
        Assert.Contains("Direct3D 12", Assert.Throws<GpuException>(() => GpuContext.OpenAny((3, "A third"))).Message, StringComparison.Ordinal);
    }

    private static void Lose(Device device, DeviceLostReason reason) => device.Context.Use(gpu => gpu.Graphics.Lose(reason));
}
