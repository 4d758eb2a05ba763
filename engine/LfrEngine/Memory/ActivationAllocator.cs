using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Memory;

/// <summary>Gives ONNX Runtime its activations from <see cref="BufferPool"/>: locked, counted, and wiped when the runtime frees them, which is at the end of every run.</summary>
/// <remarks>
/// Registered through ONNX Runtime's C API, which the managed wrapper does not expose; slots of <c>OrtApi</c> as in onnxruntime_c_api.h, unchanged
/// since version 1.18. Sessions use it when they are created with <c>session.use_env_allocators</c>. With the memory pattern on, a run takes one
/// block. The runtime's own arena is left out on purpose: it keeps what it has, unwiped, until the next run.
/// </remarks>
internal static unsafe partial class ActivationAllocator
{
    private const int GetErrorMessageSlot = 2, CreateCpuMemoryInfoSlot = 69, ReleaseStatusSlot = 93, RegisterAllocatorSlot = 176;
    private const int OrtDeviceAllocator = 0, OrtMemTypeDefault = 0;

    private static readonly Dictionary<nint, (BufferPool.Block Block, nuint Bytes, long TakenAt)> Held = [];
    private static readonly Lock Gate = new();
    private static OrtAllocatorTable* table;

    /// <summary>Blocks that the runtime holds now: a run is under way, or a session keeps packed weights.</summary>
    public static int HeldBlocks
    {
        get
        {
            lock (Gate)
                return Held.Count;
        }
    }

    /// <summary>Registers the allocator with the process' environment; once, before the first session.</summary>
    /// <exception cref="InvalidOperationException">The runtime refused it.</exception>
    public static void Register()
    {
        lock (Gate)
        {
            if (table != null)
                return;
            nint environment = OrtEnv.Instance().DangerousGetHandle();
            uint version = uint.Parse(OrtEnv.Instance().GetVersionString().Split('.')[1], System.Globalization.CultureInfo.InvariantCulture);
            void** api = ((delegate* unmanaged[Cdecl]<uint, void**>)(*(void**)OrtGetApiBase()))(version);
            if (api == null)
                throw new InvalidOperationException($"ONNX Runtime offers no C API of version {version}.");

            nint info;
            Check(api, ((delegate* unmanaged[Cdecl]<int, int, nint*, nint>)api[CreateCpuMemoryInfoSlot])(OrtDeviceAllocator, OrtMemTypeDefault, &info));
            // Never freed: the runtime keeps the pointer for the life of the process.
            var made = (OrtAllocatorTable*)NativeMemory.AllocZeroed((nuint)sizeof(OrtAllocatorTable));
            made->Version = version;
            made->Alloc = &Alloc;
            made->Free = &Free;
            made->Info = &Info;
            made->Reserve = &Alloc;
            made->GetStats = made->AllocOnStream = made->Shrink = null;
            made->MemoryInfo = info;
            Check(api, ((delegate* unmanaged[Cdecl]<nint, OrtAllocatorTable*, nint>)api[RegisterAllocatorSlot])(environment, made));
            table = made;
        }
    }

    private static void Check(void** api, nint status)
    {
        if (status == 0)
            return;
        string text = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)api[GetErrorMessageSlot])(status)) ?? "no reason given";
        ((delegate* unmanaged[Cdecl]<nint, void>)api[ReleaseStatusSlot])(status);
        throw new InvalidOperationException($"ONNX Runtime refused the wiping allocator: {text}");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void* Alloc(OrtAllocatorTable* self, nuint bytes)
    {
        if (bytes == 0)
            return null;
        try
        {
            BufferPool.Block block = BufferPool.Take(bytes);
            lock (Gate)
                Held.Add(block.Address, (block, bytes, Stopwatch.GetTimestamp()));
            return (void*)block.Address;
        }
        catch (InsufficientMemoryException)
        {
            // The runtime turns null into an error of the run.
            return null;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Free(OrtAllocatorTable* self, void* address)
    {
        (BufferPool.Block Block, nuint Bytes, long TakenAt) held;
        lock (Gate)
        {
            if (!Held.Remove((nint)address, out held))
                return;
        }
        BufferPool.Return(held.Block, held.Bytes);
        ErasureClock.Activation.Add(Stopwatch.GetElapsedTime(held.TakenAt));
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Info(OrtAllocatorTable* self) => self->MemoryInfo;

    [LibraryImport("onnxruntime")]
    private static partial nint OrtGetApiBase();

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
