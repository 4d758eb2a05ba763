using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>The build of ONNX Runtime that can run networks on a graphics card on Linux with WebGPU. It is restored on demand and replaces the default library in a process that selects it.</summary>
/// <remarks>The npm package <c>onnxruntime-node</c>: Dawn, which translates WebGPU to Vulkan, is built into its Linux library.</remarks>
public static class WebGpuLibrary
{
    internal const string Package = "onnxruntime-node", Version = "1.30.0";

    private static readonly PackageFile File = new("bin/napi-v6/linux/x64/libonnxruntime.so.1", "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23");
    private static readonly Lock Gate = new();
    private static nint loaded;

    /// <summary>Whether there is such a library for this machine.</summary>
    public static bool IsOffered => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Whether it is restored and intact.</summary>
    public static bool IsRestored(PackageCache cache) => PackageCache.IsIntact(PathIn(cache), File.Sha256);

    /// <summary>Restores the library: a package of 114 MB, of which 46 MB are kept.</summary>
    /// <returns>Files fetched.</returns>
    /// <exception cref="ModelLoadException">There is no library for this machine, npm is missing or fails, or the package has another hash.</exception>
    public static Task<int> RestoreAsync(PackageCache cache, CancellationToken stopping) =>
        IsOffered ? cache.RestoreAsync(Package, Version, [File], stopping) : throw NotOffered();

    /// <summary>Selects it as this process's ONNX Runtime.</summary>
    /// <exception cref="ModelLoadException">The library is not restored, or there is none for this machine.</exception>
    /// <exception cref="InvalidOperationException">This process already runs networks with the default library.</exception>
    internal static void Load(PackageCache cache)
    {
        lock (Gate)
        {
            if (loaded != 0)
                return;
            if (!IsOffered)
                throw NotOffered();
            string path = PathIn(cache);
            if (!PackageCache.IsIntact(path, File.Sha256))
                throw new ModelLoadException($"ONNX Runtime with WebGPU is not installed, or was altered ({path}). Run: lfr models restore --webgpu");
            if (OrtEnv.IsCreated)
                throw new InvalidOperationException("This process already runs networks. The library must be chosen before the first network.");
            loaded = NativeLibrary.Load(path);
            // Two assemblies call the runtime: its wrapper and this one (OrtNativeApi).
            OrtEnv.DisableDllImportResolver = true;
            NativeLibrary.SetDllImportResolver(typeof(OrtEnv).Assembly, Resolve);
            NativeLibrary.SetDllImportResolver(typeof(WebGpuLibrary).Assembly, Resolve);
        }
    }

    private static nint Resolve(string name, System.Reflection.Assembly asking, DllImportSearchPath? where) => name == "onnxruntime" ? loaded : 0;

    private static string PathIn(PackageCache cache) => cache.PathOf(Package, Version, File.Path);

    private static ModelLoadException NotOffered() => new("WebGPU runs on Linux on x64 processors only. Use --inference cpu, or on Windows directml.");
}
