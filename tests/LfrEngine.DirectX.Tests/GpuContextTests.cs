using LfrEngine.DirectX.Devices;

namespace LfrEngine.DirectX.Tests;

public sealed class GpuContextTests
{
    [Fact]
    public void Open_StandIns_SaysThatTheBuildHasNoGpuPath()
    {
        Assert.SkipWhen(GpuContext.IsBuilt, "This build has the packages.");
        Assert.Contains("no GPU path", Assert.Throws<GpuException>(GpuContext.Open).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(unchecked((int)0x887A0005), "DXGI_ERROR_DEVICE_REMOVED")]
    [InlineData(unchecked((int)0x8007000E), "out of memory")]
    [InlineData(unchecked((int)0x80070002), "0x80070002")]
    public void HResult_InWords(int status, string words) => Assert.Contains(words, HResult.Describe(status), StringComparison.Ordinal);

    [Fact]
    public void HResult_Failure_NamesTheStep() =>
        Assert.StartsWith("The fence cannot be made: ", Assert.Throws<GpuException>(() => HResult.ThrowIfFailed(HResult.DeviceHung, "The fence cannot be made")).Message, StringComparison.Ordinal);
}
