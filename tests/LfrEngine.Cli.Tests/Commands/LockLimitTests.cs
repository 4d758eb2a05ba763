using System.Text.Json.Nodes;
using LfrEngine.Native.Hardening;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Little memory to lock: said at the start, refused unless accepted by name.</summary>
[Trait("Speed", "slow")]
public sealed class LockLimitTests(Material material) : IDisposable
{
    private const long Little = 1 << 20;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Run_LittleCanBeLocked_IsRefusedWithTheLineThatRaisesIt()
    {
        Outcome outcome = await Lfr.RunWithLockLimitAsync(Little, material.Run("--camera", $"gate={material.ShortClip}"));

        outcome.Exits(ExitCode.Environment).IsCivil().Says("1024 KiB", "256 MiB", "ulimit -l unlimited", "LimitMEMLOCK=infinity", "--allow-unlocked");
        Assert.Equal("", outcome.Output);
    }

    [Fact]
    public async Task Run_LittleCanBeLockedAndAccepted_SaysSoAndCountsWhatIsNotLocked()
    {
        Outcome outcome = (await Lfr.RunWithLockLimitAsync(Little, material.Run("--allow-unlocked", "--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success).IsCivil();

        Assert.Contains("ulimit -l unlimited", outcome.Error, StringComparison.Ordinal);
        JsonObject summary = outcome.Lines.Summary();
        Assert.Equal(1, (int)summary["alerts"]!);
        Assert.True((long)summary["erased"]!["bytesNotLocked"]! > 1 << 20);
    }

    [Fact]
    public async Task Run_EnoughCanBeLocked_SaysNothingAndLocksAll()
    {
        if (LockOption.Shortage() is { } shortage)
            Assert.Skip(shortage);
        Outcome outcome = (await Lfr.RunAsync(material.Run("--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Success);

        Assert.DoesNotContain("lock", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(0, (long)outcome.Lines.Summary()["erased"]!["bytesNotLocked"]!);
    }

    [Fact]
    public void Shortage_OnWindows_NamesTheRightAndNotALimitOfLinux()
    {
        string shortage = LockOption.Shortage(ProcessHardening.Inspect() with { LockedLimit = Little }, windows: true)!;

        Assert.Contains("SeIncreaseWorkingSetPrivilege", shortage, StringComparison.Ordinal);
        Assert.DoesNotContain("ulimit", shortage, StringComparison.Ordinal);
        Assert.DoesNotContain("systemd", shortage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enrol_LittleCanBeLocked_IsRefused()
    {
        string people = folder["people"];
        Directory.CreateDirectory(Path.Combine(people, Material.Woman));
        File.Copy(material.Photo, Path.Combine(people, Material.Woman, "photo.jpg"));

        (await Lfr.RunWithLockLimitAsync(Little, "enrol", people, "-o", folder["list.lfr"], "--key-file", material.KeyFile)).Exits(ExitCode.Environment).Says("ulimit -l unlimited");

        Assert.False(File.Exists(folder["list.lfr"]));
    }
}
