using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>A build of ONNX Runtime that can run networks on a graphics card on Linux. It is restored on demand and replaces the default library in a process that selects it.</summary>
public sealed class RuntimeLibrary
{
    /// <summary>The npm package whose libraries are used, also the one for Windows.</summary>
    internal const string NodePackage = "onnxruntime-node", NodeVersion = "1.30.0";

    private static readonly Lock Gate = new();
    private static RuntimeLibrary? selected;
    private static nint loaded;

    private readonly string package, version;
    private readonly PackageFile[] files;
    private readonly bool isOnNuGet;

    private RuntimeLibrary(string name, string package, string version, PackageFile[] files, bool isOnNuGet) =>
        (Name, this.package, this.version, this.files, this.isOnNuGet) = (name, package, version, files, isOnNuGet);

    /// <summary>WebGPU, for any card with a Vulkan driver: 114 MB from npm, of which 46 MB are kept. Dawn, which translates WebGPU to Vulkan, is built into the Linux library of <c>onnxruntime-node</c>.</summary>
    public static RuntimeLibrary WebGpu { get; } = new("WebGPU", NodePackage, NodeVersion,
        [new("bin/napi-v6/linux/x64/libonnxruntime.so.1", "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23")],
        isOnNuGet: false);

    /// <summary>CUDA 13, for NVIDIA cards: 245 MB from NuGet, of which 317 MB are kept. The runtime finds its provider beside itself.</summary>
    public static RuntimeLibrary Cuda { get; } = new("CUDA", "microsoft.ml.onnxruntime.gpu.linux", "1.31.0",
        [
            new("runtimes/linux-x64/native/libonnxruntime.so", "7a7a2cfec3da75774dd8116e6a31fe466b46f5f6901e3fa87350d9391a840bfa"),
            new("runtimes/linux-x64/native/libonnxruntime_providers_shared.so", "c6a12593396095f5670160e284c35d1700b7708cf3037b7042e2a5200ccae772"),
            new("runtimes/linux-x64/native/libonnxruntime_providers_cuda.so", "5ea2ec896db647cd9bb1ab08e943cda07d497975b6d6b967a2bd88b8a1303f00"),
        ],
        isOnNuGet: true);

    /// <summary>Whether there are such libraries for this machine.</summary>
    public static bool IsOffered => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>WebGPU or CUDA.</summary>
    public string Name { get; }

    /// <summary>Its value for <c>--inference</c>, and the option that restores it.</summary>
    public string Option => Name.ToLowerInvariant();

    /// <summary>Whether it is restored and intact.</summary>
    public bool IsRestored(PackageCache cache) => files.All(f => PackageCache.IsIntact(PathIn(cache, f), f.Sha256));

    /// <summary>Restores the library.</summary>
    /// <returns>Files fetched.</returns>
    /// <exception cref="ModelLoadException">There is no library for this machine, the package cannot be fetched, or it has another hash.</exception>
    public Task<int> RestoreAsync(PackageCache cache, CancellationToken stopping) =>
        !IsOffered ? throw NotOffered()
        : isOnNuGet ? cache.RestoreFromNuGetAsync(package, version, files, stopping)
        : cache.RestoreAsync(package, version, files, stopping);

    /// <summary>Selects it as this process's ONNX Runtime.</summary>
    /// <exception cref="ModelLoadException">The library is not restored, or there is none for this machine.</exception>
    /// <exception cref="InvalidOperationException">This process already runs networks with another library.</exception>
    internal void Select(PackageCache cache)
    {
        lock (Gate)
        {
            if (selected == this)
                return;
            if (!IsOffered)
                throw NotOffered();
            if (files.FirstOrDefault(f => !PackageCache.IsIntact(PathIn(cache, f), f.Sha256)) is { } missing)
                throw new ModelLoadException($"ONNX Runtime with {Name} is not installed, or was altered ({PathIn(cache, missing)}). Run: lfr models restore --{Option}");
            if (selected is not null || OrtEnv.IsCreated)
                throw new InvalidOperationException("This process already runs networks. The library must be chosen before the first network.");
            loaded = NativeLibrary.Load(PathIn(cache, files[0]));
            // Two assemblies call the runtime: its wrapper and this one (OrtNativeApi).
            OrtEnv.DisableDllImportResolver = true;
            NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, Resolve);
            NativeLibrary.SetDllImportResolver(typeof(RuntimeLibrary).Assembly, Resolve);
            selected = this;
        }
    }

    private static nint Resolve(string name, System.Reflection.Assembly asking, DllImportSearchPath? where) => name == "onnxruntime" ? loaded : 0;

    private string PathIn(PackageCache cache, PackageFile file) => cache.PathOf(package, version, file.Path);

    private ModelLoadException NotOffered() => new($"{Name} runs on Linux on x64 processors only. Use --inference cpu, or on Windows directml.");
}
