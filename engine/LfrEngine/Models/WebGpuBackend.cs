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
            return new Network(new InferenceSession(graph, options), gate);
    }

    private sealed class Network(InferenceSession session, Lock gate) : IInferenceNetwork
    {
        public InferenceSession Session => session;

        public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width)
        {
            lock (gate)
                return new Plan(manifest, session, gate, batch, height, width);
        }

        public void Dispose()
        {
            lock (gate)
                session.Dispose();
        }
    }

    private sealed class Plan : InferencePlan
    {
        private readonly InferenceSession session;
        private readonly Lock gate;
        private readonly string[] inputNames;
        private readonly OrtValue[] input, output;

        public Plan(ModelManifest manifest, InferenceSession session, Lock gate, int batch, int height, int width)
            : base(manifest, session, batch, height, width)
        {
            (this.session, this.gate, inputNames) = (session, gate, [manifest.Input.Name]);
            input = [Wrap(Input, InputShape)];
            output = [.. Outputs.Select((o, i) => Wrap(o, OutputShapes[i]))];
        }

        // Not with a binding, which would copy the input to the card only once, when it is bound.
        protected override void RunOnce()
        {
            try
            {
                lock (gate)
                    session.Run(Options, inputNames, input, Manifest.Outputs, output);
            }
            catch (OnnxRuntimeException e)
            {
                throw Refused(e);
            }
        }

        protected override void Dispose(bool disposing)
        {
            try
            {
                Input.Wipe();
                RunOnce();
            }
            catch (ModelLoadException)
            {
                // The card was lost, and its memory with it.
            }
            foreach (OrtValue value in (OrtValue[])[.. input, .. output])
                value.Dispose();
            base.Dispose(disposing);
        }
    }
}
