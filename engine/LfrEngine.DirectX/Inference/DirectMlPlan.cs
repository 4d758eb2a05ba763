using ComputeSharp;
using ComputeSharp.Interop;
using LfrEngine.Detection;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Inference;

/// <summary>One input shape of a network, bound to buffers on the device.</summary>
/// <remarks>
/// The input is filled there by a shader, or in host memory and uploaded by the run; outputs are read back, which for the detector are scores and boxes,
/// for the landmarks 136 numbers, for the embedder unit-length embeddings. When the device is lost in a run, the run is done again on the new one; an input that
/// lay on the old one is empty then, and nothing is found in it.
/// </remarks>
internal sealed unsafe class DirectMlPlan : InferencePlan, IDeviceResident
{
    private readonly GpuContext context;
    private readonly DirectMlNetwork network;
    private readonly GpuBuffer<float> input;
    private readonly GpuBuffer<float>[] outputs;
    private readonly List<OrtValue> bound = [];
    private readonly List<(DirectMlDevice Device, nint Handle)> handles = [];
    private readonly OrtMemoryInfo onDevice = new("DML", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
    private GpuBuffer<float>? unitRows;
    private GpuBuffer<float>? rowNorms;
    private OrtIoBinding? binding;
    private bool filledOnDevice;

    public DirectMlPlan(GpuContext context, DirectMlNetwork network, ModelManifest manifest, InferenceSession session, int batch, int height, int width)
        : base(manifest, session, batch, height, width)
    {
        this.context = context;
        this.network = network;
        input = new GpuBuffer<float>(context, Input.Length);
        outputs = new GpuBuffer<float>[Outputs.Count];
        for (int i = 0; i < outputs.Length; i++)
            outputs[i] = new GpuBuffer<float>(context, Outputs[i].Length);
        context.Register(this);
    }

    public ResidentLayer Layer => ResidentLayer.Plan;

    /// <summary>The device of the input.</summary>
    public GpuContext Context => context;

    /// <summary>The input for a shader to fill, inside <see cref="GpuContext.Use{T}"/>.</summary>
    public ReadWriteBuffer<float> BeginFill(GpuDevice gpu)
    {
        MarkFilled();
        filledOnDevice = true;
        return input.On(gpu);
    }

    public override void RunNormalised(int length, Span<float> unit, Span<float> norms)
    {
        MarkFilled();
        int rows = norms.Length;
        unitRows ??= new GpuBuffer<float>(context, Batch * length);
        rowNorms ??= new GpuBuffer<float>(context, Batch);
        fixed (float* unitPointer = unit, normPointer = norms)
        {
            float* toUnit = unitPointer, toNorms = normPointer;
            RunAgain(gpu =>
            {
                Execute(gpu);
                gpu.Graphics.For(rows, new NormaliseShader(outputs[0].On(gpu), unitRows.On(gpu), rowNorms.On(gpu), length, SmallestNorm));
                unitRows.Read(gpu, new Span<float>(toUnit, rows * length));
                rowNorms.Read(gpu, new Span<float>(toNorms, rows));
            });
        }
    }

    public override void Halve(InferencePlan fuller, in LetterboxTransform whole, in LetterboxTransform half)
    {
        if (fuller is not DirectMlPlan { filledOnDevice: true } source)
        {
            base.Halve(fuller, whole, half);
            return;
        }
        (int width, int height, int sourceWidth, int sourceHeight) = (half.GridWidth, half.GridHeight, whole.GridWidth, whole.GridHeight);
        context.Use(gpu => gpu.Graphics.For(width, height, 3, new HalveShader(source.input.On(gpu), sourceWidth, sourceHeight, BeginFill(gpu), width, height)));
    }

    public override void Wipe()
    {
        filledOnDevice = false;
        try
        {
            context.Use(gpu =>
            {
                input.Clear(gpu);
                foreach (GpuBuffer<float> output in outputs)
                    output.Clear(gpu);
                unitRows?.Clear(gpu);
                rowNorms?.Clear(gpu);
            });
        }
        catch (DeviceLostException)
        {
            // Gone with the device.
        }
        base.Wipe();
    }

    public void LeaveDevice(GpuDevice? alive)
    {
        filledOnDevice = false;
        binding?.Dispose();
        binding = null;
        foreach (OrtValue value in bound)
            value.Dispose();
        bound.Clear();
        foreach ((DirectMlDevice device, nint handle) in handles)
            device.Free((void*)handle);
        handles.Clear();
    }

    protected override void RunOnce() => RunAgain(gpu =>
    {
        Execute(gpu);
        for (int i = 0; i < outputs.Length; i++)
            outputs[i].Read(gpu, Outputs[i].Span);
    });

    protected override void Dispose(bool disposing)
    {
        try
        {
            // DirectML keeps its intermediates in memory of its own until the session ends, and offers no way to clear it: a run over zeros overwrites
            // what the last face left there.
            Input.Wipe();
            context.Use(gpu =>
            {
                if (binding is not null)
                {
                    filledOnDevice = false;
                    Execute(gpu);
                }
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
        context.Unregister(this);
        input.Dispose();
        foreach (GpuBuffer<float> output in outputs)
            output.Dispose();
        unitRows?.Dispose();
        rowNorms?.Dispose();
        onDevice.Dispose();
        base.Dispose(disposing);
    }

    private void RunAgain(Action<GpuDevice> work)
    {
        try
        {
            context.UseAgain(work);
        }
        catch (OnnxRuntimeException e)
        {
            throw Refused(e);
        }
    }

    private void Execute(GpuDevice gpu)
    {
        // Not filled by a shader on this device: what the host has, which after a loss is nothing.
        if (!filledOnDevice)
            input.Upload(gpu, Input.Span);
        Bind(gpu);
        network.SessionOn(gpu).RunWithBinding(Options, binding!);
        // The provider only submits; ComputeSharp reads on a queue of its own, so the processor waits between the two.
        binding!.SynchronizeBoundOutputs();
    }

    private void Bind(GpuDevice gpu)
    {
        if (binding is not null)
            return;
        binding = network.SessionOn(gpu).CreateIoBinding();
        binding.BindInput(Manifest.Input.Name, Value(gpu, input, InputShape));
        for (int i = 0; i < outputs.Length; i++)
            binding.BindOutput(Manifest.Outputs[i], Value(gpu, outputs[i], OutputShapes[i]));
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
