using ComputeSharp.Interop;
using LfrEngine.DirectX.Devices;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Inference;

/// <summary>One input shape of a network that DirectML runs, bound to its buffers on the device.</summary>
internal sealed unsafe class DirectMlPlan : GpuPlan
{
    private readonly DirectMlNetwork network;
    private readonly List<OrtValue> bound = [];
    private readonly List<(DirectMlDevice Device, nint Handle)> handles = [];
    private readonly OrtMemoryInfo onDevice = new("DML", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
    private OrtIoBinding? binding;

    public DirectMlPlan(GpuContext context, DirectMlNetwork network, ModelManifest manifest, InferenceSession session, int batch, int height, int width)
        : base(context, manifest, session, batch, height, width) => this.network = network;

    public override void LeaveDevice(GpuDevice? alive)
    {
        base.LeaveDevice(alive);
        binding?.Dispose();
        binding = null;
        foreach (OrtValue value in bound)
            value.Dispose();
        bound.Clear();
        foreach ((DirectMlDevice device, nint handle) in handles)
            device.Free((void*)handle);
        handles.Clear();
    }

    protected override void RunOn(GpuDevice gpu)
    {
        Bind(gpu);
        network.SessionOn(gpu).RunWithBinding(Options, binding!);
        // The provider only submits; ComputeSharp reads on a queue of its own, so the processor waits between the two.
        binding!.SynchronizeBoundOutputs();
    }

    protected override void Dispose(bool disposing)
    {
        try
        {
            Context.Use(gpu =>
            {
                // DirectML keeps its intermediates in memory of its own until the session ends, and offers no way to clear it: this overwrites what the last
                // face left there.
                if (binding is not null)
                    RunOverZeros(gpu);
                LeaveDevice(gpu);
            });
        }
        catch (GpuException)
        {
            // Gone with the device.
        }
        catch (ObjectDisposedException)
        {
            // Gone with the context.
        }
        onDevice.Dispose();
        base.Dispose(disposing);
    }

    private void Bind(GpuDevice gpu)
    {
        if (binding is not null)
            return;
        binding = network.SessionOn(gpu).CreateIoBinding();
        binding.BindInput(Manifest.Input.Name, Value(gpu, DeviceInput, InputShape));
        for (int i = 0; i < DeviceOutputs.Count; i++)
            binding.BindOutput(Manifest.Outputs[i], Value(gpu, DeviceOutputs[i], OutputShapes[i]));
    }

    private OrtValue Value(GpuDevice gpu, GpuBuffer<float> buffer, long[] shape)
    {
        Guid id = ID3D12Resource.Guid;
        ID3D12Resource* resource = null;
        HResult.ThrowIfFailed(InteropServices.TryGetID3D12Resource(buffer.On(gpu), &id, (void**)&resource), "The buffer has no Direct3D resource");
        try
        {
            nint handle = (nint)gpu.DirectMl.Wrap(resource);
            handles.Add((gpu.DirectMl, handle));
            OrtValue value = OrtValue.CreateTensorValueWithData(onDevice, TensorElementType.Float, shape, handle, (long)buffer.Length * sizeof(float));
            bound.Add(value);
            return value;
        }
        finally
        {
            // The handle holds the resource itself.
            ComPointer.Release(resource);
        }
    }
}
