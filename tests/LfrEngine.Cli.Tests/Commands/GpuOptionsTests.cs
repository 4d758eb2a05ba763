using LfrEngine.DirectX.Devices;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>The Windows GPU path on a build without it: selecting it by name is an error without a fallback.</summary>
public sealed class GpuOptionsTests
{
    [Theory]
    [InlineData("--inference", "directml", "GPUs are used on Windows")]
    [InlineData("--inference", "directml-half:1", "GPUs are used on Windows")]
    [InlineData("--search", "computesharp", "This build has no GPU path")]
    public async Task Run_GpuByNameWithoutOne_IsAnError(string option, string value, string words)
    {
        Assert.SkipWhen(GpuContext.IsBuilt || OperatingSystem.IsWindows(), "There may be a GPU.");
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", option, value)).Exits(ExitCode.Environment).Says(words).IsCivil();
    }

    [Fact]
    public async Task Run_AutoWithoutGpu_SaysThatTheProcessorDoesIt() =>
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", "--inference", "auto")).Exits(ExitCode.Input).Says("none.lfr");

    [Fact]
    public async Task Run_VaapiWithoutACard_IsAnErrorAndAutoSaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Frames.VaapiDecoder.Fault() is null, "There may be a card.");
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", "--decode", "vaapi")).Exits(ExitCode.Environment).Says("--decode vaapi cannot be used", "/dev/dri").IsCivil();
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", "--decode", "auto")).Exits(ExitCode.Input).Says("--decode auto decodes on the processor", "none.lfr").IsCivil();
    }

    [Fact]
    public async Task Run_FramesOnTheGpuForNetworksOnTheProcessor_IsAnError() =>
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", "--decode", "d3d11va")).Exits(ExitCode.Usage).Says("needs --inference directml").IsCivil();

    [Theory]
    [InlineData("--inference", "opencl")]
    [InlineData("--inference", "cpu:1")]
    [InlineData("--inference", "directml:")]
    [InlineData("--decode", "nvdec")]
    [InlineData("--search", "faiss")]
    public async Task Run_UnknownBackend_NamesTheKnownOnes(string option, string value) =>
        (await Lfr.RunAsync("run", "--camera", "a=none.mp4", "--watchlist", "none.lfr", option, value)).Exits(ExitCode.Usage).Says(value).IsCivil();

    [Fact]
    public async Task Doctor_GpuWithoutOne_NamesTheStepThatFails()
    {
        Assert.SkipWhen(GpuContext.IsBuilt, "This build has the GPU path.");
        (await Lfr.RunAsync("doctor", "--gpu", "--json")).Exits(ExitCode.Environment).Says("GPU: device", "no GPU path").IsCivil();
    }
}
