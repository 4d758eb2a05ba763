using System.Diagnostics;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>A file system of a few KiB, where the test may make one.</summary>
internal sealed class TinyDisk : IDisposable
{
    private readonly DirectoryInfo folder;

    private TinyDisk(DirectoryInfo folder) => this.folder = folder;

    public string Path => folder.FullName;

    /// <summary>Mounts one; skips the test where that is not permitted.</summary>
    public static TinyDisk Mount(int kibibytes)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-disk-");
        if (OperatingSystem.IsLinux() && Do("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", folder.FullName))
            return new TinyDisk(folder);
        folder.Delete();
        Assert.Skip("A full disk needs the right to mount a tmpfs (root).");
        return null!;
    }

    public void Dispose()
    {
        Do("umount", folder.FullName);
        folder.Delete();
    }

    private static bool Do(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
