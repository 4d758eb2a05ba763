using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Threading;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Memory;

/// <summary>Gives ONNX Runtime its activations from <see cref="BufferPool"/>: locked, counted and wiped.</summary>
/// <remarks>
/// The runtime frees them at the end of every run, and they are wiped immediately. During a stream, wiping 15 MB after each frame
/// would cost more than the landmark network, and the next run overwrites the same bytes anyway. So between <see cref="BeginStream"/> and
/// <see cref="EndStream"/> a freed block rests, available to the next run of its size, and a separate thread wipes it once it has rested
/// <see cref="RestMs"/>; a block that never rests so long is wiped whole every <see cref="LongestMs"/>, for the bytes that not every run overwrites.
/// No activation outlives its run by more than <see cref="RestMs"/> + <see cref="LongestMs"/>.
///
/// Registered through ONNX Runtime's C API, which the managed wrapper does not expose; slots of <c>OrtApi</c> as in onnxruntime_c_api.h, unchanged
/// since version 1.18. Sessions use it when they are created with <c>session.use_env_allocators</c>. With the memory pattern on, a run takes one
/// block. The runtime ends the process when it is refused memory in the middle of a run. So a block that passes the limit of the process
/// (<see cref="MemoryBudget.MostBytes"/>) is given all the same, and so is one that the operating system refuses, from a reserve of <see cref="ReserveBytes"/>; the run
/// fails when it returns (<see cref="EndRun"/>): by then the block is wiped and given back.
/// The runtime's own arena is left out on purpose: it keeps what it has, unwiped, until the next run.
/// </remarks>
internal static unsafe class ActivationAllocator
{
    private const int CreateCpuMemoryInfoSlot = 69, RegisterAllocatorSlot = 176;
    // The networks of a release need up to 20 MiB for each thread, and enrolment somewhat more.
    private const int ReserveBytes = 64 << 20;

    private const int OrtDeviceAllocator = 0, OrtMemTypeDefault = 0;

    /// <summary>How long a freed block may rest before it is wiped, milliseconds.</summary>
    public const int RestMs = 50;

    /// <summary>How long a block may be used by run after run before it is wiped whole, milliseconds.</summary>
    public const int LongestMs = 200;

    private static readonly Dictionary<nint, Use> Held = [];
    private static readonly List<Use> Resting = [];
    private static readonly object Gate = new();
    private static OrtAllocatorTable* table;
    private static EngineThread? sweeper;
    private static Exception? sweeperFailure;
    private static int streams;

    // Of the run on this thread: what was held when the limit was passed, and the limit. A run computes on the thread that calls it.
    [ThreadStatic]
    private static long passedWith, passedLimit;

    // Of the same run: bytes that the operating system refused.
    [ThreadStatic]
    private static long refusedBytes;

    // Of the same run: bytes in use by it, and the most so far.
    [ThreadStatic]
    private static long inUse, mostInUse;

    /// <summary>Blocks not yet wiped: in use by a run, holding the packed weights of a session, or resting.</summary>
    public static int UnwipedBlocks
    {
        get
        {
            lock (Gate)
                return Held.Count + Resting.Count;
        }
    }

    /// <summary>Before the runtime runs or loads a network on this thread.</summary>
    public static void BeginRun() => passedWith = refusedBytes = inUse = mostInUse = 0;

    /// <summary>The most bytes that the latest run on this thread had in use at once, also if it failed.</summary>
    public static long MostInUse => mostInUse;

    /// <summary>Before a run whose need is known.</summary>
    /// <exception cref="InsufficientMemoryException">It would pass the limit of the process.</exception>
    public static void RequireRoom(long bytes)
    {
        long limit = MemoryBudget.MostBytes;
        if (limit == 0 || MemoryBudget.HeldBytes + bytes <= limit)
            return;
        lock (Gate)
            WipeRested(TimeSpan.Zero);
        BufferPool.Trim();
        long needed = MemoryBudget.HeldBytes + bytes;
        if (needed > limit)
            throw new InsufficientMemoryException($"The limit of {limit} bytes for this process is too low for its networks: {needed} bytes are needed.");
    }

    /// <summary>After it has.</summary>
    /// <exception cref="InsufficientMemoryException">The limit of the process was passed, or the operating system has no more memory for it.</exception>
    public static void EndRun()
    {
        (long held, long refused) = (passedWith, refusedBytes);
        passedWith = refusedBytes = 0;
        if (refused > 0)
            throw new InsufficientMemoryException($"The system gave this process no more memory for its networks: {refused} more bytes were needed.");
        if (held > 0)
            throw new InsufficientMemoryException($"The limit of {passedLimit} bytes for this process is too low for its networks: {held} bytes were needed.");
    }

    /// <summary>From now on freed blocks may rest. Calls nest.</summary>
    public static void BeginStream()
    {
        lock (Gate)
        {
            // First: if there is no thread, there is no stream.
            sweeper ??= EngineThread.Start("activations", Sweep, SweepFailed, ThreadPriority.AboveNormal);
            streams++;
        }
    }

    /// <summary>Ends the effect of <see cref="BeginStream"/>. The last call wipes all resting blocks before it returns.</summary>
    /// <returns>The failure of the wiping thread, after which blocks may not have been wiped in time; null if there was none.</returns>
    public static Exception? EndStream()
    {
        lock (Gate)
        {
            if (--streams == 0)
                WipeRested(TimeSpan.Zero);
            Exception? failure = sweeperFailure;
            sweeperFailure = null;
            return failure;
        }
    }

    /// <summary>Registers the allocator with the process' environment; once, before the first session.</summary>
    /// <exception cref="InvalidOperationException">The runtime refused the allocator.</exception>
    public static void Register()
    {
        lock (Gate)
        {
            if (table != null)
                return;
            LockedMemory.KeepReserve(ReserveBytes);
            nint environment = OrtEnv.Instance().DangerousGetHandle();
            nint info;
            OrtNativeApi.ThrowIfFailed(((delegate* unmanaged[Cdecl]<int, int, nint*, nint>)OrtNativeApi.Slot(CreateCpuMemoryInfoSlot))(OrtDeviceAllocator, OrtMemTypeDefault, &info), "the wiping allocator");
            // Never freed: the runtime keeps the pointer for the life of the process.
            var made = (OrtAllocatorTable*)NativeMemory.AllocZeroed((nuint)sizeof(OrtAllocatorTable));
            made->Version = OrtNativeApi.Version;
            made->Alloc = &Alloc;
            made->Free = &Free;
            made->Info = &Info;
            made->Reserve = &Alloc;
            made->GetStats = made->AllocOnStream = made->Shrink = null;
            made->MemoryInfo = info;
            OrtNativeApi.ThrowIfFailed(((delegate* unmanaged[Cdecl]<nint, OrtAllocatorTable*, nint>)OrtNativeApi.Slot(RegisterAllocatorSlot))(environment, made), "the wiping allocator");
            table = made;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* Alloc(OrtAllocatorTable* self, nuint bytes)
    {
        if (bytes == 0)
            return null;
        try
        {
            lock (Gate)
            {
                Use use = TakeRested(bytes) ?? new Use(TakeFresh(bytes), bytes, Stopwatch.GetTimestamp(), 0);
                Held.Add(use.Block.Address, use);
                inUse += (long)use.Block.Bytes;
                mostInUse = Math.Max(mostInUse, inUse);
                return (void*)use.Block.Address;
            }
        }
        catch (InsufficientMemoryException)
        {
            // The operating system has no more, and the reserve is used up. On null the runtime ends the process.
            return null;
        }
    }

    private static BufferPool.Block TakeFresh(nuint bytes)
    {
        try
        {
            return BufferPool.Take(bytes);
        }
        catch (InsufficientMemoryException)
        {
            // What only rests makes room first.
            WipeRested(TimeSpan.Zero);
            BufferPool.Trim();
        }
        long limit = MemoryBudget.MostBytes;
        BufferPool.Block block = BufferPool.TakeBeyondTheLimit(bytes, out bool refused);
        if (refused)
            refusedBytes += (long)bytes;
        long held = MemoryBudget.HeldBytes;
        if (limit > 0 && held > limit)
            (passedWith, passedLimit) = (Math.Max(passedWith, held), limit);
        return block;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(OrtAllocatorTable* self, void* address)
    {
        Use held;
        lock (Gate)
        {
            if (!Held.Remove((nint)address, out held))
                return;
            inUse -= (long)held.Block.Bytes;
            if (streams > 0 && held.Block.SizeClass >= 0 && Stopwatch.GetElapsedTime(held.DirtySince).TotalMilliseconds < LongestMs)
            {
                Resting.Add(held with { RestingSince = Stopwatch.GetTimestamp() });
                if (Resting.Count == 1)
                    Monitor.Pulse(Gate);
                return;
            }
        }
        Wipe(held);
    }

    private static Use? TakeRested(nuint bytes)
    {
        for (int i = Resting.Count - 1; i >= 0; i--)
        {
            if (Resting[i].Bytes != bytes)
                continue;
            Use use = Resting[i];
            Resting.RemoveAt(i);
            return use;
        }
        return null;
    }

    private static void Wipe(in Use use)
    {
        BufferPool.Return(use.Block, use.Bytes);
        ErasureClock.Activation.Add(Stopwatch.GetElapsedTime(use.DirtySince));
    }

    /// <summary>Wipes blocks that have rested for this long. Called under the gate, so that a block that is being wiped cannot be taken.</summary>
    private static void WipeRested(TimeSpan atLeast)
    {
        for (int i = Resting.Count - 1; i >= 0; i--)
        {
            if (Stopwatch.GetElapsedTime(Resting[i].RestingSince) < atLeast)
                continue;
            Wipe(Resting[i]);
            Resting.RemoveAt(i);
        }
    }

    // The next stream starts a new thread; the caller of this stream gets the exception.
    private static void SweepFailed(Exception failure)
    {
        lock (Gate)
            (sweeper, sweeperFailure) = (null, failure);
    }

    private static void Sweep()
    {
        lock (Gate)
        {
            while (true)
            {
                // Woken by the first resting block; then polls until no block rests.
                _ = Resting.Count == 0 ? Monitor.Wait(Gate) : Monitor.Wait(Gate, RestMs / 2);
                WipeRested(TimeSpan.FromMilliseconds(RestMs / 2));
            }
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Info(OrtAllocatorTable* self) => self->MemoryInfo;

    /// <summary>A block, since when it has content, and since when it rests.</summary>
    private readonly record struct Use(BufferPool.Block Block, nuint Bytes, long DirtySince, long RestingSince);

    /// <summary>OrtAllocator of onnxruntime_c_api.h, with a field of ours behind it.</summary>
    private struct OrtAllocatorTable
    {
        public uint Version;
        public delegate* unmanaged[Cdecl]<OrtAllocatorTable*, nuint, void*> Alloc;
        public delegate* unmanaged[Cdecl]<OrtAllocatorTable*, void*, void> Free;
        public delegate* unmanaged[Cdecl]<OrtAllocatorTable*, nint> Info;
        public delegate* unmanaged[Cdecl]<OrtAllocatorTable*, nuint, void*> Reserve;
        public void* GetStats;
        public void* AllocOnStream;
        public void* Shrink;
        public nint MemoryInfo;
    }
}
