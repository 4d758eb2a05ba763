namespace LfrEngine.Vulkan.Tests;

/// <summary>The Khronos validation layer watches every call, synchronisation included, and has nothing to say.</summary>
/// <remarks>The loader puts the layer between: the engine needs no code for it. Any run of the engine can be watched so.</remarks>
public sealed class ValidationTests
{
    private static readonly (string, string)[] Watched =
    [
        ("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation"),
        ("VK_LAYER_ENABLES", "VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT"),
    ];

    [Fact]
    public void Search_Watched_IsNotComplainedAbout()
    {
        SkipWithoutLayer();
        string said = TestChild.RunToEnd("search", Watched);
        Assert.Equal("searched\n", said);
    }

    /// <summary>The layer does speak, and is heard.</summary>
    [Theory]
    [InlineData("misuse", "VUID-vkCmdFillBuffer-size")]
    [InlineData("race", "SYNC-HAZARD-WRITE-AFTER-WRITE")]
    public void Misuse_Watched_IsComplainedAbout(string what, string message)
    {
        SkipWithoutLayer();
        Assert.Contains(message, TestChild.RunToEnd(what, Watched), StringComparison.OrdinalIgnoreCase);
    }

    private static void SkipWithoutLayer() => Assert.SkipUnless(
        ((string[])["/usr/share/vulkan/explicit_layer.d", "/etc/vulkan/explicit_layer.d", "/usr/local/share/vulkan/explicit_layer.d"]).Any(d => File.Exists(Path.Combine(d, "VkLayer_khronos_validation.json"))),
        "The Khronos validation layer is not installed. Debian: apt-get install vulkan-validationlayers");
}
