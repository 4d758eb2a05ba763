using System.Globalization;

namespace LfrEngine.Native.Hardening;

/// <summary>One way in which memory of this process could reach a disk or another process.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Problem">The problem, in one sentence.</param>
/// <param name="Remedy">The command that fixes it.</param>
public sealed record HardeningFinding(string Name, string Problem, string Remedy);

/// <summary>How well the memory of this process is protected. Contains no secrets, so it may be logged.</summary>
/// <param name="Dumpable">Whether the kernel would write a core file of this process, and let processes of the same user read its memory.</param>
/// <param name="CoreLimit">RLIMIT_CORE, bytes; null = unlimited.</param>
/// <param name="DiagnosticsPortOpen">Whether .NET's diagnostics port is open: a process that can access it can request a dump.</param>
/// <param name="MiniDumpEnabled">Whether .NET writes a dump when it crashes.</param>
/// <param name="MallocPerturb">Whether glibc overwrites heap memory when it is freed (Linux; true where glibc is not used).</param>
/// <param name="SwapOn">Whether swap is on. Locked pages are never swapped; memory of libraries may be.</param>
/// <param name="LockedLimit">How many bytes this process may lock; null = unlimited.</param>
public sealed record HardeningReport(
    bool Dumpable, long? CoreLimit, bool DiagnosticsPortOpen, bool MiniDumpEnabled, bool MallocPerturb, bool SwapOn, long? LockedLimit)
{
    /// <summary>With less not even the frames of one camera can be locked.</summary>
    public const long SmallestUsefulLockBytes = 256L << 20;

    /// <summary>Problems, worst first; empty if there are none.</summary>
    public IReadOnlyList<HardeningFinding> Findings
    {
        get
        {
            List<HardeningFinding> findings = [];
            if (MiniDumpEnabled)
                findings.Add(new("minidump", "A crash would write the memory of this process to a file.", "unset DOTNET_DbgEnableMiniDump COMPlus_DbgEnableMiniDump"));
            if (Dumpable)
                findings.Add(new("dumpable", "The kernel can write this process to a core file, and programs of the same user can read its memory.", "ProcessHardening.Apply()"));
            if (CoreLimit != 0)
                findings.Add(new("core-limit", "Core files are not switched off.", "ulimit -c 0"));
            if (DiagnosticsPortOpen)
                findings.Add(new("diagnostics-port", "The diagnostics port of .NET is open: dotnet-dump can write this process to a file.", "export DOTNET_EnableDiagnostics=0"));
            if (SwapOn)
                findings.Add(new("swap", "Swap is on: memory that is not locked can be written to disk.", "sudo swapoff -a"));
            if (!MallocPerturb)
                findings.Add(new("malloc", "Libraries do not wipe heap memory when they free it.", $"export GLIBC_TUNABLES={ProcessHardening.Tunables}"));
            if (LockedLimit is { } limit && limit < SmallestUsefulLockBytes)
                findings.Add(new("memlock", string.Create(CultureInfo.InvariantCulture, $"Only {limit} bytes can be locked in memory; the rest could be swapped to disk."),
                    LockRemedy(OperatingSystem.IsWindows())));
            return findings;
        }
    }

    /// <summary>How an administrator lets this process lock more memory.</summary>
    /// <param name="windows">Whether on Windows.</param>
    internal static string LockRemedy(bool windows) => windows
        ? "Give the account the right \"Increase a process working set\" (SeIncreaseWorkingSetPrivilege: secpol.msc, Local Policies, User Rights Assignment), sign in again, and see that the machine has memory free."
        : "ulimit -l unlimited";
}
