using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>ONNX Runtime on a graphics card on Linux, with WebGPU on Vulkan.</summary>
/// <remarks>
/// The provider uses the card that Vulkan ranks highest, and must run every node: a graph that would partly run on the processor is refused. One run at a time:
/// all sessions share one device and one queue, and the provider does not lock them. Inputs and outputs are in locked memory; what the provider keeps on the card
/// and in its transfer buffers cannot be wiped from here, and is overwritten by a run over zeros when a plan ends.
/// </remarks>
public sealed class WebGpuBackend : IInferenceBackend
{
    private const string Provider = "WebGPU";

    private static readonly Dictionary<string, string> ProviderOptions = new()
    {
        ["dawnBackendType"] = "Vulkan",
        ["powerPreference"] = "high-performance",
    };

    private readonly Lock gate = new();

    private WebGpuBackend()
    {
    }

    /// <summary>Chooses the library for this process and finds the card.</summary>
    /// <param name="cache">Where the library is restored to.</param>
    /// <exception cref="ModelLoadException">The library is not restored, or it finds no card that it can use.</exception>
    public static WebGpuBackend Open(PackageCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        RuntimeLibrary.WebGpu.Select(cache);
        using SessionOptions options = CpuBackend.CreateOptions();
        try
        {
            options.AppendExecutionProvider(Provider, ProviderOptions);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelLoadException(
                "WebGPU finds no graphics card that it can use. Install the card's Vulkan driver and Debian's libvulkan1 (`lfr doctor` lists the devices; Mesa's llvmpipe is not enough), or use --inference cpu. "
                + $"The runtime says: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        return new WebGpuBackend();
    }

    /// <inheritdoc/>
    public IInferenceNetwork Load(byte[] graph, ModelManifest manifest)
    {
        using SessionOptions options = CpuBackend.CreateOptions();
        options.AppendExecutionProvider(Provider, ProviderOptions);
        options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
        lock (gate)
            return new ProviderNetwork(new InferenceSession(graph, options), gate);
    }
}
