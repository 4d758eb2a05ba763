using LfrEngine.DirectX.Devices;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Inference;

/// <summary>DirectML as ONNX Runtime starts it by itself, with tensors in host memory: what there is of the GPU path in a build without ComputeSharp and Silk.NET.</summary>
/// <remarks>
/// It needs onnxruntime.dll with DirectML, and DirectML.dll, next to the program. One run at a time, and every node on the GPU. Unlike <see cref="DirectMlBackend"/> it
/// cannot share the device with shaders, does not clear what lies there but for a run over zeros at the end of a network, and does not come back from a lost device.
/// </remarks>
public sealed class DirectMlProvider : IInferenceBackend
{
    private readonly GpuAdapter adapter;
    private readonly bool half;
    private readonly Lock gate = new();

    private DirectMlProvider(GpuAdapter adapter, bool half) => (this.adapter, this.half) = (adapter, half);

    /// <summary>Display name of the adapter.</summary>
    public string AdapterName => adapter.Name;

    /// <summary>Whether it is a GPU, and not the software device of Windows.</summary>
    public bool IsHardware => adapter.IsHardware;

    /// <summary>Finds the GPU and tries DirectML on it.</summary>
    /// <param name="adapter">Its index or a part of its name; null for the GPU with the most memory.</param>
    /// <param name="half">Whether networks compute in 16-bit floats.</param>
    /// <exception cref="GpuException">There is no such GPU, or DirectML does not run on it.</exception>
    public static DirectMlProvider Open(string? adapter = null, bool half = false)
    {
        IReadOnlyList<GpuAdapter> adapters = GpuAdapter.List();
        GpuAdapter meant = adapter is not null ? GpuAdapter.Choose(adapters, adapter)
            : adapters.OrderByDescending(a => (a.IsHardware, a.VideoMemory)).FirstOrDefault() ?? throw new GpuException("This machine has no graphics adapter.");
        var provider = new DirectMlProvider(meant, half);
        try
        {
            using SessionOptions tried = provider.CreateOptions();
        }
        catch (EntryPointNotFoundException e)
        {
            throw new GpuException("This build's onnxruntime.dll has no DirectML. Publish the program with `./lfr publish win-x64`, or build it with the package Microsoft.ML.OnnxRuntime.DirectML (docs/windows.md).", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new GpuException($"DirectML does not run on {meant.Name}: {e.Message.ReplaceLineEndings(" ")} Update the graphics driver, or run without the GPU.", e);
        }
        return provider;
    }

    /// <inheritdoc/>
    public IInferenceNetwork Load(byte[] graph, ModelManifest manifest)
    {
        using SessionOptions options = CreateOptions();
        lock (gate)
            return new ProviderNetwork(new InferenceSession(half ? OnnxHalf.Convert(graph) : graph, options), gate);
    }

    private SessionOptions CreateOptions()
    {
        SessionOptions options = CpuBackend.CreateOptions();
        try
        {
            // Required by the provider; execution is sequential anyway.
            options.EnableMemoryPattern = false;
            options.AppendExecutionProvider_DML(adapter.Index);
            options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }
}
