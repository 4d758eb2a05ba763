using System.Runtime.InteropServices;
using System.Text;
using LfrEngine.DirectX.Devices;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;
using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Inference;

/// <summary>DirectML on a Direct3D 12 device, for ONNX Runtime.</summary>
/// <remarks>
/// <c>OrtDmlApi</c> is not in the managed wrapper. Checked against onnxruntime 1.24.4: slot 195 of <c>OrtApi</c> (GetExecutionProviderApi) in
/// include/onnxruntime/core/session/onnxruntime_c_api.h, the order of <c>OrtDmlApi</c> in include/onnxruntime/core/providers/dml/dml_provider_factory.h.
/// DirectML is in sustained engineering: everything that knows of it is this class and <see cref="DirectMlBackend"/>, behind <see cref="IInferenceBackend"/>.
/// </remarks>
internal sealed unsafe partial class DirectMlDevice : IDisposable
{
    private const int GetExecutionProviderApiSlot = 195;
    private const int AppendDml1Slot = 1, CreateAllocationSlot = 2, FreeAllocationSlot = 3;

    // IID_IDMLDevice of DirectML.h.
    private static readonly Guid DmlDeviceId = new("6dbd6437-96fd-423f-a98c-ae5e7c2a573f");

    private readonly void** api;
    private readonly void* device;
    private readonly CommandQueue queue;

    public DirectMlDevice(ID3D12Device* d3d12, CommandQueue queue)
    {
        this.queue = queue;
        api = FindApi();
        Guid id = DmlDeviceId;
        void* made = null;
        try
        {
            HResult.ThrowIfFailed(DMLCreateDevice(d3d12, 0, &id, &made), "DirectML cannot be started on this device (DMLCreateDevice)");
        }
        catch (DllNotFoundException e)
        {
            throw new GpuException("DirectML.dll was not found: it comes with the package Microsoft.AI.DirectML and must be next to the program.", e);
        }
        device = made;
    }

    /// <summary>Makes sessions of these options run on this device and queue.</summary>
    public void AppendTo(SessionOptions options) =>
        OrtNativeApi.ThrowIfFailed(((delegate* unmanaged<nint, void*, ID3D12CommandQueue*, nint>)api[AppendDml1Slot])(options.DangerousGetHandle(), device, queue.Native), "DirectML");

    /// <summary>What ONNX Runtime wants to see in place of a pointer: a handle for a Direct3D resource. <see cref="Free"/> ends it.</summary>
    public void* Wrap(ID3D12Resource* resource)
    {
        void* allocation = null;
        OrtNativeApi.ThrowIfFailed(((delegate* unmanaged<ID3D12Resource*, void**, nint>)api[CreateAllocationSlot])(resource, &allocation), "a GPU buffer");
        return allocation;
    }

    /// <summary>Ends a handle; the resource stays.</summary>
    public void Free(void* allocation) =>
        OrtNativeApi.ThrowIfFailed(((delegate* unmanaged<void*, nint>)api[FreeAllocationSlot])(allocation), "the release of a GPU buffer");

    public void Dispose() => ComPointer.Release(device);

    private static void** FindApi()
    {
        void** found = null;
        fixed (byte* name = Encoding.ASCII.GetBytes("DML\0"))
        {
            nint status = ((delegate* unmanaged<byte*, uint, void**, nint>)OrtNativeApi.Slot(GetExecutionProviderApiSlot))(name, OrtNativeApi.Version, (void**)&found);
            OrtNativeApi.ThrowIfFailed(status, "DirectML: this onnxruntime library was built without it (package Microsoft.ML.OnnxRuntime.DirectML)");
        }
        return found;
    }

    [LibraryImport("DirectML")]
    private static partial int DMLCreateDevice(ID3D12Device* device, uint flags, Guid* riid, void** made);
}
