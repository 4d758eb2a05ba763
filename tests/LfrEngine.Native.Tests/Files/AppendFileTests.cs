using LfrEngine.Native.Files;

namespace LfrEngine.Native.Tests.Files;

/// <summary>Whole lines, of one writer.</summary>
public sealed class AppendFileTests : IDisposable
{
    private readonly string path = Path.Combine(Path.GetTempPath(), $"lfr-append-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(path);

    [Fact]
    public void Write_FileOfOtherLines_AppendsWhereverTheEndIs()
    {
        File.WriteAllText(path, "first\n");
        using AppendFile file = AppendFile.Open(path);

        file.Write("second\n"u8);
        // Somebody who asks for no lock, as a shell's >> does.
        File.AppendAllText(path, "third\n");
        file.Write("fourth\n"u8);

        Assert.Equal("first\nsecond\nthird\nfourth\n", File.ReadAllText(path));
    }

    [Fact]
    public void Open_WhileAnotherWrites_IsRefusedUntilThatOneEnds()
    {
        using (AppendFile first = AppendFile.Open(path))
        {
            FileInUseException refused = Assert.Throws<FileInUseException>(() => AppendFile.Open(path));
            Assert.Contains(path, refused.Message, StringComparison.Ordinal);
            // Neither a refused writer nor a reader lets go of the first one's lock.
            File.ReadAllText(path);
            Assert.Throws<FileInUseException>(() => AppendFile.Open(path));
        }
        AppendFile.Open(path).Dispose();
    }

    [Fact]
    public void Write_AfterAHalfLine_BeginsOnALineOfItsOwn()
    {
        File.WriteAllText(path, "whole\nhal");
        using AppendFile file = AppendFile.Open(path);

        file.Write("next\n"u8);
        file.Write("last\n"u8);

        Assert.Equal("whole\nhal\nnext\nlast\n", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/full")]
    public void Open_Device_IsForAsManyAsWant(string device)
    {
        if (!File.Exists(device))
            Assert.Skip($"No {device} on this system.");
        using AppendFile first = AppendFile.Open(device), second = AppendFile.Open(device);

        if (device == "/dev/null")
            second.Write("gone\n"u8);
        else
            Assert.Contains("No space left", Assert.Throws<IOException>(() => second.Write("refused\n"u8)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/no/such/folder/file", "No such file or directory")]
    [InlineData("/proc", "Is a directory")]
    public void Open_NotAPlaceForAFile_SaysWhichAndWhy(string place, string why)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("The words are those of Linux.");
        string said = Assert.ThrowsAny<Exception>(() => AppendFile.Open(place)).Message;

        Assert.Contains(place, said, StringComparison.Ordinal);
        Assert.Contains(why, said, StringComparison.Ordinal);
    }
}
