using LfrEngine.Files;
using Xunit;

namespace LfrEngine.Tests.Files;

/// <summary>Files are whole or not there.</summary>
public sealed class OutputFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-files-");

    private string Place => Path.Combine(folder.FullName, "file");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Finish_ReplacesTheOldFileAndLeavesNothingElse()
    {
        File.WriteAllText(Place, "old");

        OutputFile.Write(Place, "new");

        Assert.Equal("new", File.ReadAllText(Place));
        Assert.Single(folder.GetFileSystemInfos());
    }

    [Fact]
    public void Begin_WithoutFinish_LeavesTheOldFile()
    {
        File.WriteAllText(Place, "old");
        using (OutputFile file = OutputFile.Begin(Place))
        {
            file.Stream.Write("half"u8);
            Assert.Equal("old", File.ReadAllText(Place));
        }

        Assert.Equal("old", File.ReadAllText(Place));
        Assert.Single(folder.GetFileSystemInfos());
    }

    [Fact]
    public void Write_WhereAnOldFileMustStay_KeepsIt()
    {
        File.WriteAllText(Place, "old");

        Assert.ThrowsAny<IOException>(() => OutputFile.Write(Place, "new", replace: false));

        Assert.Equal("old", File.ReadAllText(Place));
        Assert.Single(folder.GetFileSystemInfos());
    }

    /// <summary>.NET's own move looks first and moves then: of two writers at the same moment one lost its file.</summary>
    [Fact]
    public void Write_ByManyAtOnce_ExactlyOneHasTheName()
    {
        for (int round = 0; round < 200; round++)
        {
            string path = Path.Combine(folder.FullName, $"{round}");
            int written = 0;
            Parallel.For(0, 4, i =>
            {
                try
                {
                    OutputFile.Write(path, $"{i}", replace: false);
                    Interlocked.Increment(ref written);
                }
                catch (IOException)
                {
                    // Somebody else was first.
                }
            });
            Assert.Equal(1, written);
        }
    }

    [Fact]
    public void Write_ForTheOwnerAlone_NobodyElseMayRead()
    {
        OutputFile.Write(Place, "secret", ownerOnly: true);

        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Place));
    }

    [Fact]
    public async Task ProduceAsync_TheProgramFails_LeavesTheOldFile()
    {
        await File.WriteAllTextAsync(Place, "old", TestContext.Current.CancellationToken);

        await Assert.ThrowsAsync<OperationCanceledException>(() => OutputFile.ProduceAsync(Place, partial =>
        {
            File.WriteAllText(partial, "half");
            throw new OperationCanceledException();
        }));

        Assert.Equal("old", await File.ReadAllTextAsync(Place, TestContext.Current.CancellationToken));
        Assert.Single(folder.GetFileSystemInfos());
    }

    [Fact]
    public void Check_AFolder_SaysWhatItIs() =>
        Assert.Equal($"{folder.Name} is a folder, not a file.", Assert.Throws<NotAFileException>(() => InputFile.Check(folder.FullName)).Message);

    [Fact]
    public void Check_AFileOrNothing_IsSilent()
    {
        File.WriteAllText(Place, "");
        InputFile.Check(Place);
        InputFile.Check(Path.Combine(folder.FullName, "nothing"));
    }

    [Fact]
    public void Write_NameAsLongAsNamesCanBe_IsWritten()
    {
        string folder = Directory.CreateTempSubdirectory("lfr-output-").FullName;
        try
        {
            string path = Path.Combine(folder, new string('a', 255));
            OutputFile.Write(path, "new");
            Assert.Equal("new", File.ReadAllText(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Write_ThroughALink_TheLinkStaysAndItsTargetIsWritten()
    {
        string folder = Directory.CreateTempSubdirectory("lfr-output-").FullName;
        try
        {
            string link = Path.Combine(folder, "link"), target = Path.Combine(folder, "target");
            File.WriteAllText(target, "old");
            File.CreateSymbolicLink(link, target);
            OutputFile.Write(link, "new");
            Assert.Equal(("new", target), (File.ReadAllText(target), new FileInfo(link).LinkTarget));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
