using LfrEngine.DirectX.Devices;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Inference;

/// <summary>ONNX Runtime on any GPU of Windows, by DirectML.</summary>
/// <param name="context">Borrowed for the life of the backend's networks.</param>
/// <param name="half">Whether networks compute in 16-bit floats: about half the memory and time on GPUs with fast half precision.</param>
public sealed class DirectMlBackend(GpuContext context, bool half = false) : IInferenceBackend
{
    /// <inheritdoc/>
    public IInferenceNetwork Load(byte[] graph, ModelManifest manifest) => new DirectMlNetwork(context, half ? OnnxHalf.Convert(graph) : graph);
}

/// <summary>One network. Its session is created again when the device has been replaced.</summary>
internal sealed class DirectMlNetwork : IInferenceNetwork, IDeviceResident
{
    private readonly GpuContext context;
    private readonly byte[] graph;
    private InferenceSession? session;

    public DirectMlNetwork(GpuContext context, byte[] graph)
    {
        this.context = context;
        this.graph = graph;
        context.Register(this);
        try
        {
            context.UseAgain(gpu => SessionOn(gpu));
        }
        catch
        {
            context.Unregister(this);
            throw;
        }
    }

    public InferenceSession Session => context.Use(SessionOn);

    public ResidentLayer Layer => ResidentLayer.Network;

    public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width) =>
        context.Use(gpu => new DirectMlPlan(context, this, manifest, SessionOn(gpu), batch, height, width));

    public InferenceSession SessionOn(GpuDevice gpu)
    {
        if (session is null)
        {
            using SessionOptions options = CpuBackend.CreateOptions();
            // Required by the provider; execution is sequential anyway.
            options.EnableMemoryPattern = false;
            gpu.DirectMl.AppendTo(options);
            session = new InferenceSession(graph, options);
        }
        return session;
    }

    public void LeaveDevice(GpuDevice? alive)
    {
        session?.Dispose();
        session = null;
    }

    public void Dispose()
    {
        context.Unregister(this);
        LeaveDevice(null);
    }
}
