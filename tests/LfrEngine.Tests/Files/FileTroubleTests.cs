using LfrEngine.Files;
using Xunit;

namespace LfrEngine.Tests.Files;

/// <summary>File system errors become sentences, without the path of the temporary file.</summary>
public sealed class FileTroubleTests
{
    [Theory]
    [InlineData("/nowhere/at/all", "The folder does not exist.")]
    [InlineData("/tmp/lfr-no-such-file", "The file does not exist.")]
    public void Words_OfWhatIsNotThere(string path, string words)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Paths of Linux.");
        Assert.Equal(words, FileTrouble.Words(Assert.ThrowsAny<IOException>(() => File.ReadAllBytes(path))));
    }

    [Fact]
    public void Words_OfAFullDisk()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("There is no /dev/full.");
        Exception e = Assert.ThrowsAny<IOException>(() =>
        {
            using var file = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write("x"u8);
        });

        Assert.Equal("The disk is full.", FileTrouble.Words(e));
        Assert.True(FileTrouble.IsDiskFull(e));
    }

    [Fact]
    public void Words_OfAFolderInsteadOfAFile()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Error numbers of Linux.");
        string folder = Path.GetTempPath();

        Assert.Equal("It is a folder, not a file.", FileTrouble.Words(Assert.ThrowsAny<IOException>(() => LfrEngine.Native.Files.AppendFile.Open(folder))));
    }

    [Theory]
    [InlineData("Input/output error : '/folder/.0123.partial'", "Input/output error.")]
    [InlineData("x.jpg is a named pipe, not a file.", "x.jpg is a named pipe, not a file.")]
    public void Words_OfAnythingElse_AreTheSystemsWithoutThePath(string message, string words) => Assert.Equal(words, FileTrouble.Words(new IOException(message)));
}
