using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using LfrEngine.Native.Memory;

namespace LfrEngine.Native.Hardening;

/// <summary>Keeps the memory of this process out of core files, crash reports and other processes.</summary>
public static partial class ProcessHardening
{
    /// <summary>Value of GLIBC_TUNABLES needed when the process starts: freed heap memory is overwritten, and no cache prevents this.</summary>
    public const string Tunables = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";

    private const int GetDumpable = 3, SetDumpable = 4;
    private const int LimitCore = 4;
    private const uint SemFailCriticalErrors = 1, SemNoGpFaultErrorBox = 2, SemNoOpenFileErrorBox = 0x8000;
    private const uint WerNoHeap = 1, WerNoUi = 32, WerDisableSnapshotCrash = 128, WerDisableSnapshotHang = 256;

    /// <summary>Switches off dumps and access as far as a process can do for itself, permanently. Call it first.</summary>
    /// <returns>The state afterwards: see <see cref="HardeningReport.Findings"/> for what only the launcher can fix.</returns>
    /// <exception cref="Win32Exception">The system refused.</exception>
    /// <remarks>Linux: not dumpable, no core files, both irrevocable for a process without privileges. Windows: no heap in error
    /// reports, no crash snapshots, no error boxes.</remarks>
    public static HardeningReport Apply()
    {
        if (OperatingSystem.IsLinux())
        {
            if (ProcessLimits.ProcessControl(SetDumpable, 0, 0, 0, 0) != 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "prctl(PR_SET_DUMPABLE, 0) failed");
            ResourceLimit none = default;
            if (ProcessLimits.SetLimit(LimitCore, in none) != 0)
                throw new Win32Exception(Marshal.GetLastPInvokeError(), "setrlimit(RLIMIT_CORE, 0) failed");
        }
        else if (OperatingSystem.IsWindows())
        {
            _ = SetErrorMode(SemFailCriticalErrors | SemNoGpFaultErrorBox | SemNoOpenFileErrorBox);
            Marshal.ThrowExceptionForHR(WerSetFlags(WerNoHeap | WerNoUi | WerDisableSnapshotCrash | WerDisableSnapshotHang));
        }
        return Inspect();
    }

    /// <summary>Reports the state without changes.</summary>
    public static HardeningReport Inspect()
    {
        bool linux = OperatingSystem.IsLinux();
        return new(
            Dumpable: linux && ProcessLimits.ProcessControl(GetDumpable, 0, 0, 0, 0) != 0,
            CoreLimit: linux ? CoreLimit() : 0,
            DiagnosticsPortOpen: !(IsOff("EnableDiagnostics") || IsOff("EnableDiagnostics_IPC")),
            MiniDumpEnabled: Setting("DbgEnableMiniDump") is { } dump && dump != "0",
            MallocPerturb: !linux || HasTunables(Environment.GetEnvironmentVariable("GLIBC_TUNABLES")),
            SwapOn: linux && HasSwap(),
            LockedLimit: LockedMemory.LimitBytes);
    }

    /// <summary>Whether a value of GLIBC_TUNABLES makes glibc overwrite every block that is freed.</summary>
    internal static bool HasTunables(string? value)
    {
        bool perturbs = false, cached = true;
        foreach (string part in (value ?? "").Split(':'))
        {
            // As in glibc, the last of two settings with the same name is used.
            if (part.Split('=') is not [string name, string number])
                continue;
            if (name == "glibc.malloc.perturb")
                perturbs = int.TryParse(number, NumberStyles.Integer, CultureInfo.InvariantCulture, out int perturb) && (perturb & 0xFF) != 0;
            else if (name == "glibc.malloc.tcache_count")
                cached = number != "0";
        }
        return perturbs && !cached;
    }

    private static string? Setting(string name) =>
        Environment.GetEnvironmentVariable("DOTNET_" + name) ?? Environment.GetEnvironmentVariable("COMPlus_" + name);

    private static bool IsOff(string name) => Setting(name) == "0";

    private static long? CoreLimit()
    {
        if (ProcessLimits.GetLimit(LimitCore, out ResourceLimit limit) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "getrlimit(RLIMIT_CORE) failed");
        return limit.Soft > long.MaxValue ? null : (long)limit.Soft;
    }

    // The first line is a heading. Without /proc nothing is known, which is not an error.
    private static bool HasSwap() => File.Exists("/proc/swaps") && File.ReadLines("/proc/swaps").Skip(1).Any();

    [LibraryImport("kernel32")]
    private static partial uint SetErrorMode(uint mode);

    [LibraryImport("kernel32")]
    private static partial int WerSetFlags(uint flags);
}
