using LfrEngine.CApi.Engine;
using LfrEngine.Native.Memory;

namespace LfrEngine.CApi.Interop;

/// <summary>The functions of lfr_engine.h under "Library"; see there for the contract of each.</summary>
internal static unsafe class LibraryExports
{
    private static readonly byte* Version = Text.Forever(typeof(LibraryExports).Assembly.GetName().Version?.ToString(3) ?? "0.0.0");
    private static readonly byte* Unknown = Text.Forever("unknown");
    private static readonly Dictionary<int, nint> StatusNames = Enum.GetValues<Status>().ToDictionary(s => (int)s, s => (nint)Text.Forever(NameOf(s)));

    [UnmanagedCallersOnly(EntryPoint = "lfr_version", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* GetVersion() => Version;

    [UnmanagedCallersOnly(EntryPoint = "lfr_last_error", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* LastError() => Answer.LastError;

    [UnmanagedCallersOnly(EntryPoint = "lfr_status_name", CallConvs = [typeof(CallConvCdecl)])]
    public static byte* StatusName(int status) => StatusNames.TryGetValue(status, out nint name) ? (byte*)name : Unknown;

    [UnmanagedCallersOnly(EntryPoint = "lfr_open_handles", CallConvs = [typeof(CallConvCdecl)])]
    public static int OpenHandles(int kind, long* count) => Call.Run(() =>
    {
        Check.Given(count, "count");
        Check.Range(kind, (int)HandleKind.Any, (int)HandleKind.Template, "kind");
        *count = Handles.Count((HandleKind)kind);
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_memory_report", CallConvs = [typeof(CallConvCdecl)])]
    public static int MemoryReport(MemoryData* memory) => Call.Run(() =>
    {
        long held = MemoryBudget.HeldBytes, unlocked = MemoryBudget.UnlockedBytes;
        Check.Write(memory, new MemoryData
        {
            LockedBytes = held - unlocked,
            UnlockedBytes = unlocked,
            LockLimitBytes = LockedMemory.LimitBytes ?? -1,
            BlocksOutstanding = BufferPool.OutstandingBlocks,
            BlocksWiped = BufferPool.WipedBlocks,
            BytesWiped = BufferPool.WipedBytes,
            HeldBytes = held,
            PeakBytes = MemoryBudget.PeakBytes,
            MaxMemoryBytes = MemoryBudget.MostBytes,
        }, MemoryData.FirstBytes, "memory");
    });

    [UnmanagedCallersOnly(EntryPoint = "lfr_memory_estimate", CallConvs = [typeof(CallConvCdecl)])]
    public static int EstimateMemory(LoadData* load, long* heldBytes) => Call.Run(() =>
    {
        // Not 0 where the call fails: a limit of 0 is none.
        Check.Given(heldBytes, "held_bytes");
        *heldBytes = MemoryEstimate.HeldBytes(load is null ? default : Check.Read(load, LoadData.FirstBytes, "load"));
    });

    // BadHandle: LFR_BAD_HANDLE.
    private static string NameOf(Status status) =>
        "LFR_" + string.Concat(status.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? $"_{c}" : char.ToUpperInvariant(c).ToString()));
}
