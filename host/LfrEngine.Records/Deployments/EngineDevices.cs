using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.DirectX.Search;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Vulkan.Devices;
using LfrEngine.Vulkan.Search;

namespace LfrEngine.Records.Deployments;

/// <summary>The devices on which the stages of a run are done. A device selected by name is used or is an error; only <c>auto</c> falls back, with a message. Dispose it after the models.</summary>
internal sealed class EngineDevices : IDisposable
{
    private const string NoGpu = "--inference auto runs on the processor: there is no GPU.";

    private readonly GpuContext? context;
    private readonly D3D11Decoder? decoder;
    private readonly GpuSearch? gpuSearch;
    private readonly VulkanSearch? vulkan;

    private EngineDevices(GpuContext? context, IInferenceBackend? backend, D3D11Decoder? decoder, VaapiDecoder? vaapi, GpuSearch? gpuSearch, VulkanSearch? vulkan)
    {
        (this.context, Backend, this.decoder, this.gpuSearch, this.vulkan) = (context, backend, decoder, gpuSearch, vulkan);
        Decoder = (IVideoDecoder?)decoder ?? (IVideoDecoder?)vaapi ?? SoftwareDecoder.Default;
    }

    /// <summary>The backend for networks; null for the processor.</summary>
    public IInferenceBackend? Backend { get; }

    public IVideoDecoder Decoder { get; }

    /// <summary>Opens the selected devices.</summary>
    /// <param name="inference">cpu, directml, directml-half, either with :GPU, webgpu, cuda or auto.</param>
    /// <param name="decode">software, d3d11va, vaapi or auto.</param>
    /// <param name="search">simd, computesharp, vulkan or vulkan:DEVICE.</param>
    /// <param name="tell">Receives messages: what <c>auto</c> selected, and what is slower than the processor.</param>
    /// <exception cref="CommandFailure">A value is not valid, or the values cannot be combined.</exception>
    /// <exception cref="GpuException">The GPU cannot be used.</exception>
    /// <exception cref="ModelLoadException">WebGPU or CUDA cannot be used.</exception>
    /// <exception cref="VulkanException">The Vulkan device cannot be used.</exception>
    public static EngineDevices Open(string inference, string decode, string search, Action<string> tell)
    {
        if (!IsInference(inference))
            throw new CommandFailure(ExitCode.Usage, $"--inference {inference} is not one of {InferenceWords}, for example directml:0.");
        (inference, string? adapter) = inference.Split(':', 2) is [var way, var named] ? (way, named) : (inference, null);
        bool onGpu = search == "computesharp", directMl = inference.StartsWith("directml", StringComparison.Ordinal), half = inference == "directml-half", mayBeDirectMl = directMl || inference == "auto";
        if (decode == "d3d11va" && !mayBeDirectMl)
            throw new CommandFailure(ExitCode.Usage, "--decode d3d11va needs --inference directml, because frames on the GPU need networks on the GPU.");
        VaapiDecoder? vaapi = OpenVaapi(decode, tell);
        // Without the packages for shaders DirectML still runs networks, and nothing else.
        bool withoutShaders = !GpuContext.IsBuilt && decode != "d3d11va" && !onGpu;
        IInferenceBackend? alone = !withoutShaders ? null : directMl ? DirectMlProvider.Open(adapter, half) : inference == "auto" ? ProviderIfThere(tell) : null;
        bool asked = (directMl && alone is null) || decode == "d3d11va" || onGpu;
        GpuContext? context = asked ? GpuContext.Open(adapter) : inference == "auto" && !withoutShaders ? OpenIfThere(tell) : null;
        bool networks = context is not null && mayBeDirectMl;
        try
        {
            return new EngineDevices(
                context,
                alone ?? (networks ? new DirectMlBackend(context!, half) : inference == "webgpu" ? OpenWebGpu(tell) : inference == "cuda" ? CudaBackend.Open(PackageCache.Default) : null),
                networks && decode is "d3d11va" or "auto" ? new D3D11Decoder(context!, decode == "auto" ? tell : null) : null,
                vaapi,
                onGpu ? new GpuSearch(context!) : null,
                OpenSearch(search));
        }
        catch
        {
            context?.Dispose();
            throw;
        }
    }

    /// <summary>What <c>--inference</c> may be, for people.</summary>
    public const string InferenceWords = "cpu, directml[:GPU], directml-half[:GPU], webgpu, cuda and auto";

    /// <summary>Whether a text is one of them. Whether there is such a GPU shows when it is opened.</summary>
    public static bool IsInference(string text) =>
        text is "cpu" or "directml" or "directml-half" or "webgpu" or "cuda" or "auto" || (text.Split(':', 2) is ["directml" or "directml-half", { Length: > 0 }]);

    /// <summary>Settings of a run on these devices.</summary>
    /// <param name="thresholds">Comparison scores that count.</param>
    /// <param name="detectEveryMs">Milliseconds between two frames of a camera that are searched.</param>
    /// <param name="workers">Threads; 0 means one per processor.</param>
    public PipelineSettings Settings(CategoryThresholds thresholds, int detectEveryMs, int workers) => new()
    {
        Thresholds = thresholds,
        DetectEveryMs = detectEveryMs,
        Workers = workers,
        Search = (IGallerySearch?)vulkan ?? (IGallerySearch?)gpuSearch ?? new CosineSearch(),
        // One at a time is fastest on a processor; a GPU should be called less often.
        EmbeddingBatch = Backend is null ? 1 : Embeddings.Embedder.MaximumBatch,
    };

    /// <summary>Loads a gallery to the device that searches it, so that one that is too large fails now and not at the first face.</summary>
    /// <exception cref="VulkanException">The device cannot hold it.</exception>
    public static void Load(PipelineSettings settings, Gallery gallery) => (settings.Search as VulkanSearch)?.Load(gallery);

    public void Dispose()
    {
        vulkan?.Dispose();
        gpuSearch?.Dispose();
        decoder?.Dispose();
        context?.Dispose();
    }

    // On Windows auto means Direct3D.
    private static VaapiDecoder? OpenVaapi(string decode, Action<string> tell)
    {
        if (decode != "vaapi" && (decode != "auto" || OperatingSystem.IsWindows()))
            return null;
        string? fault = VaapiDecoder.Fault();
        if (fault is null)
            return new VaapiDecoder(decode == "auto" ? tell : null);
        if (decode == "vaapi")
            throw new CommandFailure(ExitCode.Environment, $"--decode vaapi cannot be used: {fault}. Use --decode software, or auto.");
        tell($"--decode auto decodes on the processor: {fault}.");
        return null;
    }

    private static VulkanSearch? OpenSearch(string text)
    {
        string[] parts = text.Split(':', 2);
        return parts switch
        {
            ["simd"] or ["computesharp"] => null,
            ["vulkan"] => new VulkanSearch(),
            ["vulkan", { Length: > 0 } device] => new VulkanSearch(device),
            _ => throw new CommandFailure(ExitCode.Usage, $"--search {text} is not one of simd, computesharp, vulkan and vulkan:DEVICE, for example vulkan:0."),
        };
    }

    /// <summary>Opens WebGPU, with a message if there is only a software device.</summary>
    /// <exception cref="ModelLoadException">It cannot be used.</exception>
    internal static WebGpuBackend OpenWebGpu(Action<string> tell)
    {
        WebGpuBackend backend = WebGpuBackend.Open(PackageCache.Default);
        if (WebGpuDevice() is { Kind: VulkanDeviceKind.Processor } device)
            tell($"--inference webgpu: there is no graphics card. \"{device.Name}\" runs on the processor and is many times slower than --inference cpu.");
        return backend;
    }

    /// <summary>The device that WebGPU uses: the first in Vulkan's order. If there is none, opening WebGPU has already failed.</summary>
    internal static VulkanDevice WebGpuDevice() => VulkanDevice.List().OrderBy(d => d.Kind).First();

    private static DirectMlProvider? ProviderIfThere(Action<string> tell)
    {
        try
        {
            DirectMlProvider provider = DirectMlProvider.Open();
            tell(provider.IsHardware ? $"--inference auto runs on {provider.AdapterName}." : NoGpu);
            return provider.IsHardware ? provider : null;
        }
        catch (GpuException e)
        {
            tell($"--inference auto runs on the processor: {e.Message}");
            return null;
        }
    }

    private static GpuContext? OpenIfThere(Action<string> tell)
    {
        GpuContext context;
        try
        {
            context = GpuContext.Open();
        }
        catch (GpuException e)
        {
            tell($"--inference auto runs on the processor: {e.Message}");
            return null;
        }
        if (context.IsHardware)
        {
            tell($"--inference auto runs on {context.AdapterName}.");
            return context;
        }
        context.Dispose();
        tell(NoGpu);
        return null;
    }
}
