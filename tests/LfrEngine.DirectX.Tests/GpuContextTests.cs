using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;

namespace LfrEngine.DirectX.Tests;

public sealed class GpuContextTests
{
    private static readonly GpuAdapter[] Adapters = [new(0, "NVIDIA GeForce RTX 4060", 11, 8UL << 30, true), new(1, "AMD Radeon(TM) Graphics", 12, 1UL << 29, true), new(2, "Intel(R) Arc(TM) A770", 13, 16UL << 30, true)];

    [Fact]
    public void Open_StandIns_SaysThatTheBuildHasNoGpuPath()
    {
        Assert.SkipWhen(GpuContext.IsBuilt, "This build has the packages.");
        Assert.Contains("no GPU path", Assert.Throws<GpuException>(() => GpuContext.Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(unchecked((int)0x887A0005), "DXGI_ERROR_DEVICE_REMOVED")]
    [InlineData(unchecked((int)0x8007000E), "out of memory")]
    [InlineData(unchecked((int)0x80070002), "0x80070002")]
    public void HResult_InWords(int status, string words) => Assert.Contains(words, HResult.Describe(status), StringComparison.Ordinal);

    [Theory]
    [InlineData("1", 1)]
    [InlineData("0", 0)]
    [InlineData("radeon", 1)]
    [InlineData("Arc", 2)]
    public void Choose_IndexOrPartOfAName_IsThatAdapter(string text, int index) => Assert.Equal(index, GpuAdapter.Choose(Adapters, text).Index);

    [Theory]
    [InlineData("3", "no GPU \"3\"")]
    [InlineData("quadro", "no GPU \"quadro\"")]
    [InlineData("a", "More than one")]
    public void Choose_NoneOrSeveral_ListsTheAdapters(string text, string words)
    {
        string message = Assert.Throws<GpuException>(() => GpuAdapter.Choose(Adapters, text)).Message;
        Assert.Contains(words, message, StringComparison.Ordinal);
        Assert.Contains("0: NVIDIA GeForce RTX 4060, 1: AMD Radeon(TM) Graphics, 2: Intel(R) Arc(TM) A770", message, StringComparison.Ordinal);
    }

    [Fact]
    public void List_NoWindows_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has DXGI.");
        Assert.Contains("on Windows", Assert.Throws<GpuException>(GpuAdapter.List).Message, StringComparison.Ordinal);
    }

    // Hardware frames are cropped on the right and at the bottom by FFmpeg, and on the left and at the top by us.
    [Theory]
    [InlineData(64, 48, 0, 0, 64, 48)]
    [InlineData(1912, 1080, 8, 0, 1904, 1080)]
    [InlineData(60, 44, 6, 4, 54, 40)]
    // The stream of MediaPixelFormatTests.
    [InlineData(156, 114, 8, 6, 148, 108)]
    public void PictureCut_LeftAndTop_AreNotPartOfThePicture(int width, int height, int left, int top, int pictureWidth, int pictureHeight)
    {
        var frame = new FFmpeg.AutoGen.AVFrame { width = width, height = height, crop_left = (ulong)left, crop_top = (ulong)top };
        Assert.Equal(new PictureCut((uint)left, (uint)top, pictureWidth, pictureHeight), PictureCut.Of(frame));
    }

    [Fact]
    public void PictureCut_NothingLeft_IsRefused() =>
        Assert.Throws<GpuException>(() => PictureCut.Of(new FFmpeg.AutoGen.AVFrame { width = 64, height = 48, crop_left = 64 }));

    [Fact]
    public void FrameBytes_FormatThatTheDriverDoesNotKnow_IsSaidInWords()
    {
        Assert.Equal(3_110_400, SharedTexture.FrameBytes(3_110_400));
        Assert.Contains("cannot copy NV12", Assert.Throws<GpuException>(() => SharedTexture.FrameBytes(ulong.MaxValue)).Message, StringComparison.Ordinal);
        Assert.Throws<GpuException>(() => SharedTexture.FrameBytes(1UL << 31));
    }

    [Fact]
    public void HResult_Failure_NamesTheStep() =>
        Assert.StartsWith("The fence cannot be made: ", Assert.Throws<GpuException>(() => HResult.ThrowIfFailed(HResult.DeviceHung, "The fence cannot be made")).Message, StringComparison.Ordinal);
}
