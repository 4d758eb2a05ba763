using System.Text.Json.Nodes;
using LfrEngine.Models;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Networks on a graphics card of Linux, by WebGPU and by CUDA. The libraries are restored on demand, so what needs one skips where it is not.</summary>
[Trait("Speed", "slow")]
public sealed class CardInferenceTests
{
    // Chromium brings a Vulkan device that computes on the processor and can do all that WebGPU asks for; Mesa's llvmpipe of Debian 12 cannot.
    private const string SwiftShader = "/usr/lib/chromium/vk_swiftshader_icd.json";
    private static readonly string[] Anything = ["run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", "--inference", "webgpu"], WithCuda = [.. Anything[..^1], "cuda"];

    [Theory]
    [InlineData("webgpu")]
    [InlineData("cuda")]
    public async Task Run_LibraryNotRestored_NamesTheCommand(string inference)
    {
        SkipElsewhere();
        DirectoryInfo cache = Directory.CreateTempSubdirectory("lfr-test-");
        try
        {
            (await Lfr.RunInAsync(null, [("LFR_CACHE", cache.FullName)], [.. Anything[..^1], inference])).Exits(ExitCode.Environment).Says("not installed", $"lfr models restore --{inference}").IsCivil();
        }
        finally
        {
            cache.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("webgpu", "onnxruntime-node@1.30.0/bin/napi-v6/linux/x64/libonnxruntime.so.1")]
    [InlineData("cuda", "microsoft.ml.onnxruntime.gpu.linux@1.31.0/runtimes/linux-x64/native/libonnxruntime.so")]
    public async Task Run_LibraryAltered_IsNotLoaded(string inference, string file)
    {
        SkipElsewhere();
        DirectoryInfo cache = Directory.CreateTempSubdirectory("lfr-test-");
        try
        {
            string library = Path.Combine(cache.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(library)!);
            await File.WriteAllBytesAsync(library, [1, 2, 3], TestContext.Current.CancellationToken);
            (await Lfr.RunInAsync(null, [("LFR_CACHE", cache.FullName)], [.. Anything[..^1], inference])).Exits(ExitCode.Environment).Says("altered", library).IsCivil();
        }
        finally
        {
            cache.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("webgpu")]
    [InlineData("cuda")]
    public async Task Run_FramesOfAWindowsGpu_IsAnError(string inference) =>
        (await Lfr.RunAsync([.. Anything[..^1], inference, "--decode", "d3d11va"])).Exits(ExitCode.Usage).Says("needs --inference directml").IsCivil();

    [Fact]
    public async Task Run_NoDevice_SaysWhatToInstall()
    {
        SkipWithoutLibrary();
        (await Lfr.RunInAsync(null, Drivers("/nonexistent.json"), Anything)).Exits(ExitCode.Environment).Says("finds no graphics card", "libvulkan1", "--inference cpu").IsCivil();
    }

    [Fact]
    public async Task Run_NoCuda_SaysWhatIsNeeded()
    {
        Assert.SkipUnless(RuntimeLibrary.IsOffered && RuntimeLibrary.Cuda.IsRestored(PackageCache.Default), "ONNX Runtime with CUDA is not installed: lfr models restore --cuda");
        Assert.SkipWhen(File.Exists("/dev/nvidiactl"), "There is an NVIDIA card here.");
        (await Lfr.RunAsync(WithCuda)).Exits(ExitCode.Environment).Says("CUDA cannot be used", "CUDA 13", "cuDNN 9", "--inference cpu").IsCivil();
    }

    [Fact]
    public async Task Run_DeviceThatComputesOnTheProcessor_SaysSo()
    {
        SkipWithoutLibrary();
        Assert.SkipUnless(File.Exists(SwiftShader), "Chromium's Vulkan device is not installed.");
        (await Lfr.RunInAsync(null, Drivers(SwiftShader), Anything)).Exits(ExitCode.Input).Says("there is no graphics card", "SwiftShader", "none.lfr").IsCivil();
    }

    [Fact]
    public async Task Doctor_EveryNetwork_GivesTheProcessorsNumbers()
    {
        SkipWithoutLibrary();
        Assert.SkipUnless(File.Exists(SwiftShader), "Chromium's Vulkan device is not installed.");
        JsonArray findings = (await Lfr.RunInAsync(null, Drivers(SwiftShader), "doctor", "--webgpu", "--json")).Exits(ExitCode.Success).Json.AsArray();
        // The device, six networks, and the embedder once more as a batch.
        Assert.Equal(8, findings.Count);
        Assert.All(findings, f => Assert.Equal("ok", (string?)f!["state"]));
    }

    private static (string Name, string Value)[] Drivers(string file) => [("VK_DRIVER_FILES", file), ("VK_ICD_FILENAMES", file)];

    private static void SkipElsewhere() => Assert.SkipUnless(RuntimeLibrary.IsOffered, "WebGPU is for Linux on x64.");

    private static void SkipWithoutLibrary() => Assert.SkipUnless(RuntimeLibrary.IsOffered && RuntimeLibrary.WebGpu.IsRestored(PackageCache.Default), "ONNX Runtime with WebGPU is not installed: lfr models restore --webgpu");
}
