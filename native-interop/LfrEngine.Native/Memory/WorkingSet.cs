using System.Runtime.InteropServices;

namespace LfrEngine.Native.Memory;

/// <summary>How much a process may lock on Windows: its minimum working set, which is 200 KiB at first and is raised here.</summary>
internal static partial class WorkingSet
{
    // What a process that locks little needs for itself; Windows must also be able to page in the rest of it.
    private const long Rest = 64L << 20;

    // winnt.h: QUOTA_LIMITS_HARDWS_MIN_DISABLE, QUOTA_LIMITS_HARDWS_MAX_DISABLE: the limits are wishes, under which Windows keeps locked pages all the same.
    private const uint SoftLimits = 0x2 | 0x8;

    // winnt.h: TOKEN_ADJUST_PRIVILEGES, SE_PRIVILEGE_ENABLED; wdm.h: SE_INC_WORKING_SET_PRIVILEGE.
    private const uint AdjustPrivileges = 0x20, Enabled = 2;
    private const long IncreaseWorkingSet = 33;

    /// <summary>Raises the limit of this process: half of the memory if Windows grants it, else as much as it grants.</summary>
    /// <returns>Bytes that may be locked; null if Windows does not say.</returns>
    public static long? Raise()
    {
        EnablePrivilege();
        long granted = Raise(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2, wanted => SetProcessWorkingSetSizeEx(-1, (nuint)wanted, (nuint)(wanted + Rest), SoftLimits) != 0);
        // Not asked for again where it was granted: Wine grants everything and reports what it always does.
        return granted > 0 ? granted : GetProcessWorkingSetSize(-1, out nuint smallest, out _) != 0 ? (long)smallest : null;
    }

    /// <summary>Asks for less and less until it is granted.</summary>
    /// <param name="wanted">Bytes.</param>
    /// <param name="ask">Whether so many bytes are granted.</param>
    /// <returns>What was granted; 0 if nothing that is of use was.</returns>
    internal static long Raise(long wanted, Func<long, bool> ask)
    {
        for (; wanted >= Hardening.HardeningReport.SmallestUsefulLockBytes; wanted /= 2)
        {
            if (ask(wanted))
                return wanted;
        }
        // The least that is enough, which halving may have passed over.
        return ask(Hardening.HardeningReport.SmallestUsefulLockBytes) ? Hardening.HardeningReport.SmallestUsefulLockBytes : 0;
    }

    // An account that has the privilege still has it switched off. One that lacks it is refused above, if at all.
    private static unsafe void EnablePrivilege()
    {
        if (OpenProcessToken(-1, AdjustPrivileges, out nint token) == 0)
            return;
        var privilege = new Privilege { Count = 1, Id = IncreaseWorkingSet, Attributes = Enabled };
        _ = AdjustTokenPrivileges(token, 0, &privilege, 0, null, null);
        _ = CloseHandle(token);
    }

    [LibraryImport("kernel32")]
    private static partial int GetProcessWorkingSetSize(nint process, out nuint smallest, out nuint largest);

    [LibraryImport("kernel32")]
    private static partial int SetProcessWorkingSetSizeEx(nint process, nuint smallest, nuint largest, uint flags);

    [LibraryImport("advapi32")]
    private static partial int OpenProcessToken(nint process, uint access, out nint token);

    [LibraryImport("advapi32")]
    private static unsafe partial int AdjustTokenPrivileges(nint token, int disableAll, Privilege* wanted, uint length, void* before, uint* beforeLength);

    [LibraryImport("kernel32")]
    private static partial int CloseHandle(nint handle);

    // TOKEN_PRIVILEGES with one LUID_AND_ATTRIBUTES; all on 4-byte places.
    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    private struct Privilege
    {
        public uint Count;
        public long Id;
        public uint Attributes;
    }
}
