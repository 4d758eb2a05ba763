using System.Text.Json.Nodes;
using LfrEngine.Vulkan.Devices;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Who searches makes no difference to what is found.</summary>
[Trait("Speed", "slow")]
public sealed class RunSearchTests(Material material)
{
    [Fact]
    public async Task Run_SearchedByADevice_GivesTheSameAsTheProcessorApartFromTimes()
    {
        string[] arguments = material.Run("--pace", "max", "--camera", $"gate={material.ShortClip}");
        JsonObject[] processor = (await Lfr.RunAsync([.. arguments, "--search", "simd"])).Exits(ExitCode.Success).Lines;
        JsonObject[] device = (await Lfr.RunAsync([.. arguments, "--search", "vulkan"])).Exits(ExitCode.Success).Lines;

        // Alerts, scores to the last digit, and the hash over every score of every shot.
        Assert.Equal(JsonLines.WithoutTimes(processor), JsonLines.WithoutTimes(device));
        Assert.Single(device, l => (string?)l["type"] == "alert");
        Assert.NotNull((string?)device.Summary().Camera("gate")["traceSha256"]);
    }

    [Theory]
    [InlineData("gpu", ExitCode.Usage, "--search gpu", "vulkan:DEVICE")]
    [InlineData("vulkan:", ExitCode.Usage, "--search vulkan:", "vulkan:0")]
    [InlineData("vulkan:no such card", ExitCode.Environment, "\"no such card\"", "Devices: 0")]
    public async Task Run_UnknownSearch_ListsWhatThereIs(string search, int code, params string[] said) =>
        (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}", "--search", search))).Exits(code).IsCivil().Says(said);

    /// <summary>No driver: the default run is not affected, and a run that needs a device says what to install.</summary>
    [Fact]
    public async Task Run_WithoutVulkan_WorksUnlessVulkanIsSelected()
    {
        (string, string)[] without = [("VK_ICD_FILENAMES", "/nonexistent.json"), ("VK_DRIVER_FILES", "/nonexistent.json")];
        string[] arguments = material.Run("--camera", $"gate={material.ShortClip}");
        (await Lfr.RunInAsync(null, without, arguments)).Exits(ExitCode.Success);
        (await Lfr.RunInAsync(null, without, [.. arguments, "--search", "vulkan"])).Exits(ExitCode.Environment).IsCivil().Says("mesa-vulkan-drivers", "lfr doctor", "--search simd");
    }

    [Fact]
    public async Task Doctor_VulkanDevices_AreListed()
    {
        JsonNode findings = (await Lfr.RunAsync("doctor", "--json")).Json;
        string[] told = [.. findings.AsArray().Where(f => (string?)f!["what"] == "Vulkan").Select(f => (string)f!["found"]!)];
        IReadOnlyList<VulkanDevice> devices = VulkanDevice.List();
        Assert.Equal(devices.Count, told.Length);
        Assert.All(devices, d => Assert.StartsWith($"{d.Index}: {d.Name} (", told[d.Index], StringComparison.Ordinal));
    }
}
