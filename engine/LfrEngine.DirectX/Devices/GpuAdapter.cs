using System.Globalization;
using System.Runtime.InteropServices;

namespace LfrEngine.DirectX.Devices;

/// <summary>A graphics adapter of this Windows machine.</summary>
/// <param name="Index">In the order of DXGI, which is also ONNX Runtime's: 0 drives the main screen.</param>
/// <param name="Name">Display name.</param>
/// <param name="Luid">What Direct3D 11, 12 and DirectML know it by; another after its driver was updated.</param>
/// <param name="VideoMemory">Of its own, bytes.</param>
/// <param name="IsHardware">Whether it is a GPU, and not Windows' software device.</param>
internal sealed unsafe partial record GpuAdapter(int Index, string Name, long Luid, ulong VideoMemory, bool IsHardware)
{
    // dxgi.h: DXGI_ADAPTER_FLAG_SOFTWARE; the places of EnumAdapters1 and GetDesc1 among the functions of their interfaces.
    private const uint Software = 2;
    private const int EnumAdapters1Slot = 12, GetDesc1Slot = 10;

    private static readonly Guid FactoryId = new("770aae78-f26f-4dba-a829-253c83d1b387");

    /// <summary>The adapters of this machine.</summary>
    /// <exception cref="GpuException">There is no DXGI.</exception>
    public static IReadOnlyList<GpuAdapter> List()
    {
        Guid id = FactoryId;
        void* factory = null;
        try
        {
            HResult.ThrowIfFailed(CreateDXGIFactory1(&id, &factory), "The list of adapters cannot be opened");
        }
        catch (DllNotFoundException e)
        {
            throw new GpuException("There is no DXGI here: GPUs are used on Windows.", e);
        }
        try
        {
            var found = new List<GpuAdapter>();
            void* adapter = null;
            while (((delegate* unmanaged<void*, uint, void**, int>)(*(void***)factory)[EnumAdapters1Slot])(factory, (uint)found.Count, &adapter) >= 0)
            {
                try
                {
                    Description description = default;
                    HResult.ThrowIfFailed(((delegate* unmanaged<void*, Description*, int>)(*(void***)adapter)[GetDesc1Slot])(adapter, &description), "An adapter does not describe itself");
                    found.Add(new GpuAdapter(found.Count, new string(description.Name), description.Luid, description.VideoMemory, (description.Flags & Software) == 0));
                }
                finally
                {
                    ComPointer.Release(adapter);
                }
            }
            return found;
        }
        finally
        {
            ComPointer.Release(factory);
        }
    }

    /// <summary>The adapter that is meant.</summary>
    /// <param name="adapters">From <see cref="List"/>.</param>
    /// <param name="text">Its index, or a part of its name.</param>
    /// <exception cref="GpuException">There is none, or more than one.</exception>
    public static GpuAdapter Choose(IReadOnlyList<GpuAdapter> adapters, string text)
    {
        GpuAdapter[] meant = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? [.. adapters.Where(a => a.Index == index)]
            : [.. adapters.Where(a => a.Name.Contains(text, StringComparison.OrdinalIgnoreCase))];
        string all = adapters.Count == 0 ? "none" : string.Join(", ", adapters.Select(a => $"{a.Index}: {a.Name}"));
        return meant switch
        {
            [GpuAdapter one] => one,
            [] => throw new GpuException($"There is no GPU \"{text}\". This machine has: {all}."),
            _ => throw new GpuException($"More than one GPU is called \"{text}\": give the index. This machine has: {all}."),
        };
    }

    [LibraryImport("dxgi")]
    private static partial int CreateDXGIFactory1(Guid* riid, void** factory);

    // DXGI_ADAPTER_DESC1
    [StructLayout(LayoutKind.Sequential)]
    private struct Description
    {
        public fixed char Name[128];
        public uint Vendor, Device, Subsystem, Revision;
        public nuint VideoMemory, SystemMemory, SharedMemory;
        public long Luid;
        public uint Flags;
    }
}
