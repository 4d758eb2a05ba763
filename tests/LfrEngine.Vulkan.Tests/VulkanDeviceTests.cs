using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;
using Silk.NET.Vulkan;

namespace LfrEngine.Vulkan.Tests;

public sealed class VulkanDeviceTests
{
    [Fact]
    public void List_ThisMachine_NamesDevicesThatCanBeOpenedByIndexAndByName()
    {
        IReadOnlyList<VulkanDevice> devices = VulkanDevice.List();
        Assert.NotEmpty(devices);
        Assert.Equal(Enumerable.Range(0, devices.Count), devices.Select(d => d.Index));
        Assert.Contains(devices, d => d.Problem is null);
        foreach (VulkanDevice device in devices.Where(d => d.Problem is null))
        {
            Assert.True(device.ApiVersion >= new Version(1, 1, 0));
            Assert.True(device.MemoryBytes > 1 << 20);
            using var byIndex = new VulkanSearch($"{device.Index}");
            Assert.Equal(device, byIndex.Device);
            using var byName = new VulkanSearch(device.Name.ToUpperInvariant());
            Assert.Equal(device.Name, byName.Device.Name);
        }
    }

    [Theory]
    [InlineData("no such card")]
    [InlineData("99")]
    public void Open_UnknownDevice_NamesThoseThereAre(string wanted)
    {
        VulkanException error = Assert.Throws<VulkanException>(() => new VulkanSearch(wanted).Dispose());
        Assert.Equal(VulkanFailure.Unavailable, error.Reason);
        Assert.Contains($"\"{wanted}\"", error.Message, StringComparison.Ordinal);
        Assert.Contains(VulkanDevice.List()[0].Name, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A loader whose list of drivers is empty, in a child process: the loader reads its environment once.</summary>
    [Fact]
    public void Open_NoDriver_SaysWhatToInstall()
    {
        string said = TestChild.RunToEnd("open", ("VK_ICD_FILENAMES", "/nonexistent.json"), ("VK_DRIVER_FILES", "/nonexistent.json"));
        Assert.Contains("Unavailable", said, StringComparison.Ordinal);
        Assert.Contains("mesa-vulkan-drivers", said, StringComparison.Ordinal);
        Assert.Contains("lfr doctor", said, StringComparison.Ordinal);
        Assert.Contains("opened", TestChild.RunToEnd("open"), StringComparison.Ordinal);
    }

    [Fact]
    public void Allocate_MoreThanThereIs_NamesTheSize()
    {
        using var context = new VulkanContext(Searches.Device);
        VulkanException error = Assert.Throws<VulkanException>(() => new GpuBuffer<byte>(context, 1L << 45, GpuMemory.Device).Dispose());
        Assert.Equal(VulkanFailure.OutOfMemory, error.Reason);
        Assert.Contains(context.Info.Name, error.Message, StringComparison.Ordinal);
        Assert.Contains($"{1L << 45} bytes", error.Message, StringComparison.Ordinal);
        // The device goes on.
        using var small = new GpuBuffer<byte>(context, 1 << 10, GpuMemory.Device);
    }

    [Fact]
    public void Load_GalleryLargerThanTheDevice_NamesBothSizes()
    {
        using var context = new VulkanContext(Searches.Device) { MemoryBytes = 1 << 20 };
        using var pipelines = new SearchPipelines(context, GalleryPrecision.Float32);
        using Matching.Gallery gallery = Samples.Random(1, 10, 3000, 128);
        VulkanException error = Assert.Throws<VulkanException>(() => new ResidentGallery(context, pipelines, gallery, GalleryPrecision.Float32).Dispose());
        Assert.Equal(VulkanFailure.OutOfMemory, error.Reason);
        Assert.Contains("3000 templates", error.Message, StringComparison.Ordinal);
        Assert.Contains("has 1 MiB", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Result.ErrorDeviceLost, VulkanFailure.DeviceLost)]
    [InlineData(Result.ErrorOutOfDeviceMemory, VulkanFailure.OutOfMemory)]
    [InlineData(Result.ErrorOutOfHostMemory, VulkanFailure.OutOfMemory)]
    [InlineData(Result.ErrorInitializationFailed, VulkanFailure.CallFailed)]
    public void ThrowIfFailed_Failure_SaysWhatItMeans(Result result, VulkanFailure reason)
    {
        VulkanException error = Assert.Throws<VulkanException>(() => result.ThrowIfFailed("vkQueueSubmit", "card", 3 << 20));
        Assert.Equal(reason, error.Reason);
        Assert.Contains("vkQueueSubmit", error.Message, StringComparison.Ordinal);
        Assert.Contains("\"card\"", error.Message, StringComparison.Ordinal);
        Result.Success.ThrowIfFailed("vkQueueSubmit", "card");
        Result.Incomplete.ThrowIfFailed("vkEnumeratePhysicalDevices", "card");
    }
}
