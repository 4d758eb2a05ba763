using System.Diagnostics;
using System.Runtime.InteropServices;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;

namespace LfrEngine.Vulkan.Tests;

/// <summary>All memory of a process that searched is looked through. With a driver that computes on the processor, that is the device's memory too.</summary>
[Trait("Speed", "slow")]
public sealed class DeviceForensicsTests
{
    private const int NeedleStep = 64;

    [Theory]
    [InlineData(GalleryPrecision.Float32)]
    [InlineData(GalleryPrecision.PackedHalf)]
    public void Process_AfterTheGallery_HoldsNothingOfIt(GalleryPrecision precision)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Reads /proc.");
        using (var search = new VulkanSearch(Searches.Device))
            Assert.SkipUnless(search.Device.Kind == VulkanDeviceKind.Processor, $"The memory of \"{search.Device.Name}\" is not this process's: DeviceMemoryTests reads it back.");
        NeedleSet needles = Needles(precision);
        using Process child = TestChild.Start($"hold-{precision}");

        MemoryScan searched = Scan("searched");
        // What must be found: the gallery's rows, and the same rows as the device has them. The probes, once, where their owner has them.
        Assert.True(searched.Of("row") > 0);
        Assert.True(searched.Of("device row") > 0);
        Assert.Equal(TestChild.Probes * TestChild.Length * sizeof(float) / NeedleStep, searched.Of("probe"));

        MemoryScan withoutGallery = Scan("gallery gone");
        Assert.Equal(0, withoutGallery.Of("row") + withoutGallery.Of("device row"));
        Assert.Equal(searched.Of("probe"), withoutGallery.Of("probe"));
        Assert.Equal(0, Scan("probes gone").Hits);
        Assert.Equal(0, Scan("closed").Hits);
        child.WaitForExit();

        MemoryScan Scan(string state)
        {
            Assert.Equal(state, child.StandardOutput.ReadLine());
            MemoryScan scan = MemoryScanner.Scan(child.Id, needles);
            child.StandardInput.WriteLine();
            return scan;
        }
    }

    /// <summary>Rows and probes as they are, and rows as Shaders/score.comp describes them: a group of four elements of 32 rows, one after the other.</summary>
    private static NeedleSet Needles(GalleryPrecision precision)
    {
        var needles = new NeedleSet();
        var row = new float[TestChild.Length];
        for (int p = 0; p < TestChild.Probes; p++)
        {
            TestChild.Fill(1000 + p, row);
            needles.Add("probe", MemoryMarshal.AsBytes(row.AsSpan()), NeedleStep);
        }
        var device = new float[TestChild.Templates * TestChild.Length];
        for (int i = 0; i < TestChild.Templates; i++)
        {
            TestChild.Fill(i, row);
            needles.Add("row", MemoryMarshal.AsBytes(row.AsSpan()));
            for (int e = 0; e < row.Length; e++)
                device[(i / 32 * 32 * row.Length) + (e / 4 * 32 * 4) + (i % 32 * 4) + (e % 4)] = row[e];
        }
        if (precision == GalleryPrecision.Float32)
            needles.Add("device row", MemoryMarshal.AsBytes(device.AsSpan()));
        else
            needles.Add("device row", MemoryMarshal.AsBytes(device.Select(e => (Half)e).ToArray().AsSpan()));
        return needles;
    }
}
