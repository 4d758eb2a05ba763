namespace LfrEngine.Models;

/// <summary>The build of ONNX Runtime for Windows on x64 that can run networks with DirectML, and DirectML itself. Restored where the program is published, on any system, and put next to it.</summary>
/// <remarks>
/// The same npm package and version as <see cref="RuntimeLibrary.WebGpu"/>. Its shader compiler, for WebGPU, is left out: DirectML does not need it. Where NuGet serves
/// Microsoft.ML.OnnxRuntime.DirectML, a build with <c>LfrStandIns=false</c> takes that instead.
/// </remarks>
public static class DirectMlLibrary
{
    private static readonly PackageFile[] Files =
    [
        new("bin/napi-v6/win32/x64/onnxruntime.dll", "508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67"),
        new("bin/napi-v6/win32/x64/DirectML.dll", "234e8898778cdec88d3cb0539508273494082812c968699f3de665a018971625"),
    ];

    /// <summary>Folder of the libraries.</summary>
    public static string FolderIn(PackageCache cache) => Path.GetDirectoryName(cache.PathOf(RuntimeLibrary.NodePackage, RuntimeLibrary.NodeVersion, Files[0].Path))!;

    /// <summary>Restores the libraries: a package of 114 MB, of which 47 MB are kept.</summary>
    /// <returns>Files fetched.</returns>
    /// <exception cref="ModelLoadException">npm is missing or fails, or the package has another hash.</exception>
    public static Task<int> RestoreAsync(PackageCache cache, CancellationToken stopping) => cache.RestoreAsync(RuntimeLibrary.NodePackage, RuntimeLibrary.NodeVersion, Files, stopping);
}
