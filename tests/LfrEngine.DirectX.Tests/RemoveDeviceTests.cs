using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Search;
using LfrEngine.Matching;
using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Tests;

/// <summary>Loss of a real device, by the call that Direct3D has for testing it. Its stand-in is in <see cref="DeviceLossTests"/>.</summary>
[Trait("Device", "Direct3D12")]
public sealed unsafe class RemoveDeviceTests
{
    [Fact]
    public void Search_DeviceRemoved_IsReplacedAndFindsTheSame()
    {
        Assert.SkipUnless(GpuContext.IsBuilt, "This build has no Direct3D 12.");
        using var device = new Device();
        using var search = new GpuSearch(device.Context);
        using Gallery gallery = GpuSearchTests.Random(1, 20, 60, 64);
        float[] probes = GpuSearchTests.Probes(gallery, 5, 2);
        Assert.NotEqual(0, GpuSearchTests.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.2f), 4));
        Assert.Throws<DeviceLostException>(() => device.Context.Use(gpu =>
        {
            Guid id = ID3D12Device5.Guid;
            ID3D12Device5* newer = null;
            HResult.ThrowIfFailed(gpu.Native->QueryInterface(&id, (void**)&newer), "This Windows cannot remove a device (version 1809 can)");
            newer->RemoveDevice();
            ComPointer.Release(newer);
            throw new InvalidOperationException("The device was removed.");
        }));
        Assert.Equal(1, device.Context.Losses);
        Assert.NotEqual(0, GpuSearchTests.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(0.2f), 4));
    }
}
