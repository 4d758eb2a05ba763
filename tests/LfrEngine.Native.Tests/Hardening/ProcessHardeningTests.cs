using System.Diagnostics;
using LfrEngine.Native.Hardening;

namespace LfrEngine.Native.Tests.Hardening;

/// <summary>What a child that hardened itself looks like from outside.</summary>
public sealed class ProcessHardeningTests
{
    [Fact]
    public void Apply_InAChild_ForbidsDumps()
    {
        using Process child = TestChild.Start("harden",
            ("GLIBC_TUNABLES", ProcessHardening.Tunables), ("DOTNET_EnableDiagnostics", "0"), ("DOTNET_DbgEnableMiniDump", null));
        string report = child.StandardOutput.ReadLine()!;
        string core = File.ReadLines($"/proc/{child.Id}/limits").First(line => line.StartsWith("Max core file size", StringComparison.Ordinal));
        Finish(child);

        Assert.Contains("Dumpable = False", report, StringComparison.Ordinal);
        Assert.Contains("CoreLimit = 0,", report, StringComparison.Ordinal);
        Assert.Contains("DiagnosticsPortOpen = False", report, StringComparison.Ordinal);
        Assert.Contains("MiniDumpEnabled = False", report, StringComparison.Ordinal);
        Assert.Contains("MallocPerturb = True", report, StringComparison.Ordinal);
        // Soft and hard.
        Assert.Equal(["0", "0"], core.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4..6]);
    }

    [Fact]
    public void Inspect_InAChild_ChangesNothingAndSeesTheEnvironment()
    {
        using Process child = TestChild.Start("inspect",
            ("GLIBC_TUNABLES", null), ("DOTNET_EnableDiagnostics", null), ("DOTNET_EnableDiagnostics_IPC", null), ("DOTNET_DbgEnableMiniDump", "1"));
        string report = child.StandardOutput.ReadLine()!;
        Finish(child);

        Assert.Contains("Dumpable = True", report, StringComparison.Ordinal);
        Assert.Contains("DiagnosticsPortOpen = True", report, StringComparison.Ordinal);
        Assert.Contains("MiniDumpEnabled = True", report, StringComparison.Ordinal);
        Assert.Contains("MallocPerturb = False", report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("glibc.malloc.perturb=165", false)]
    [InlineData("glibc.malloc.tcache_count=0", false)]
    [InlineData("glibc.malloc.perturb=0:glibc.malloc.tcache_count=0", false)]
    [InlineData("glibc.malloc.perturb=256:glibc.malloc.tcache_count=0", false)]
    [InlineData("glibc.malloc.perturb=165:glibc.malloc.tcache_count=7", false)]
    [InlineData("glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1:glibc.malloc.perturb=1", true)]
    [InlineData(ProcessHardening.Tunables, true)]
    public void HasTunables_AnyValue_NeedsBoth(string? value, bool expected) =>
        Assert.Equal(expected, ProcessHardening.HasTunables(value));

    [Fact]
    public void Findings_EachFlaw_HasAProblemAndARemedy()
    {
        HardeningReport good = new(false, 0, false, false, true, false, null);
        HardeningReport bad = new(true, null, true, true, false, true, 8 << 20);

        Assert.Empty(good.Findings);
        Assert.Equal(7, bad.Findings.Count);
        Assert.All(bad.Findings, finding => Assert.True(finding.Problem.Length > 0 && finding.Remedy.Length > 0));
        Assert.Equal("core-limit", Assert.Single((good with { CoreLimit = null }).Findings).Name);
        Assert.Equal("memlock", Assert.Single((good with { LockedLimit = 8 << 20 }).Findings).Name);
    }

    [Fact]
    public void GuardPage_Overrun_EndsTheChild()
    {
        using Process child = TestChild.Start("overrun", ("LFR_MEMORY_GUARD", "1"), ("DOTNET_DbgEnableMiniDump", null));
        Task<string> errors = child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("True", child.StandardOutput.ReadLine());
        Assert.Null(child.StandardOutput.ReadLine());
        child.WaitForExit();
        Assert.NotEqual(0, child.ExitCode);
    }

    private static void Finish(Process child)
    {
        child.StandardInput.Close();
        child.WaitForExit();
        Assert.Equal(0, child.ExitCode);
    }
}
