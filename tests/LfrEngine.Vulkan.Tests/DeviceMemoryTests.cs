using LfrEngine.Matching;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;
using DeviceMemoryCount = LfrEngine.Memory.DeviceMemory;

namespace LfrEngine.Vulkan.Tests;

/// <summary>What lies in the device's memory, and what is left there.</summary>
public sealed unsafe class DeviceMemoryTests
{
    [Theory]
    [InlineData(GalleryPrecision.Float32)]
    [InlineData(GalleryPrecision.PackedHalf)]
    public void Wipe_LoadedGallery_ReadsBackAsZeros(GalleryPrecision precision)
    {
        using var context = new VulkanContext(Searches.Device);
        using var pipelines = new SearchPipelines(context, precision);
        using Gallery gallery = Samples.Random(1, 50, 100, 64);
        using var resident = new ResidentGallery(context, pipelines, gallery, precision);
        GpuBuffer<byte> rows = Assert.Single(resident.Chunks.ToArray()).Rows;

        byte[] before = Read(context, rows);
        Assert.Equal(128 * 64 * (precision == GalleryPrecision.Float32 ? 4 : 2), before.Length);
        // Row 33, elements 8 to 11: block 1, third group of four, second place.
        for (int i = 0; i < 4; i++)
        {
            float element = gallery.Rows[(33 * 64) + 8 + i];
            int at = (1 * 32 * 64) + (2 * 32 * 4) + (1 * 4) + i;
            Assert.Equal(precision == GalleryPrecision.Float32 ? element : (float)(Half)element,
                precision == GalleryPrecision.Float32 ? BitConverter.ToSingle(before, at * 4) : (float)BitConverter.ToHalf(before, at * 2));
        }
        // What is wiped is what Dispose wipes: it wipes, then gives back.
        rows.Wipe();
        Assert.Equal(-1, Read(context, rows).AsSpan().IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Search_Done_LeavesZerosInEveryBufferOfTheCall()
    {
        var context = new VulkanContext(Searches.Device);
        using var search = new VulkanSearch(context, GalleryPrecision.Float32);
        using Gallery gallery = Samples.Random(1, 50, 100, 64);
        float[] probes = Samples.Probes(new Random(1), gallery, 7);
        // Everybody counts, so scores, histogram and findings are all written.
        Assert.All(Samples.AssertSame(search, gallery, probes, CategoryThresholds.Uniform(-1), 5), c => Assert.Equal(5, c.Length));
        SearchBuffers used = search.Buffers!;
        AssertZeros(context, used.DeviceProbes, 7 * 64);
        AssertZeros(context, used.DeviceBounds, 7);
        AssertZeros(context, used.DeviceBest, 7 * 50);
        AssertZeros(context, used.DeviceHistogram, 7 * SearchPipelines.Bins);
        AssertZeros(context, used.DeviceFound, 7 * 51);
        Assert.Equal(-1, new ReadOnlySpan<float>(used.Probes.Mapped, (int)used.Probes.Length).IndexOfAnyExcept(0));
        Assert.Equal(-1, new ReadOnlySpan<byte>(used.Bounds.Mapped, (int)used.Bounds.Bytes).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Dispose_EverythingUsed_IsCountedWipedAndReturned()
    {
        long outstanding = DeviceMemoryCount.OutstandingBuffers, wiped = DeviceMemoryCount.WipedBuffers;
        using (var search = new VulkanSearch(Searches.Device))
        {
            using Gallery gallery = Samples.Random(1, 50, 100, 64);
            Samples.AssertSame(search, gallery, Samples.Probes(new Random(1), gallery, 7), CategoryThresholds.Uniform(0), 5);
            // Rows, their identities and the categories; the buffers of a call, five on the device and three of the host.
            Assert.Equal(outstanding + 3 + 8, DeviceMemoryCount.OutstandingBuffers);
            gallery.Dispose();
            Assert.Equal(outstanding + 8, DeviceMemoryCount.OutstandingBuffers);
        }
        Assert.Equal(outstanding, DeviceMemoryCount.OutstandingBuffers);
        Assert.True(DeviceMemoryCount.WipedBuffers >= wiped + 22);
        Assert.Equal(0, DeviceMemoryCount.LostBuffers);
    }

    private static void AssertZeros<T>(VulkanContext context, GpuBuffer<T> buffer, int atLeast)
        where T : unmanaged
    {
        Assert.True(buffer.Length >= atLeast);
        Assert.Equal(-1, Read(context, buffer).AsSpan().IndexOfAnyExcept((byte)0));
    }

    private static byte[] Read<T>(VulkanContext context, GpuBuffer<T> buffer)
        where T : unmanaged
    {
        using var target = new GpuBuffer<T>(context, buffer.Length, GpuMemory.Readback);
        lock (context.Gate)
        {
            buffer.CopyTo(context.Begin(), target, 0, buffer.Bytes);
            context.SubmitAndWait();
        }
        return new ReadOnlySpan<byte>(target.Mapped, (int)buffer.Bytes).ToArray();
    }
}
