using System.Globalization;

namespace LfrEngine.CApi.Interop;

/// <summary>The folder of this library, which also contains ONNX Runtime and the media library; not the folder of the caller's program.</summary>
internal static unsafe class OwnFolder
{
    private const string BaseDirectory = "APP_CONTEXT_BASE_DIRECTORY";

    /// <summary>Makes the runtime search for libraries there. Call it before the first of them is loaded.</summary>
    public static void Announce()
    {
        if (AppContext.GetData(BaseDirectory) is null && Find() is { } folder)
            AppContext.SetData(BaseDirectory, folder + Path.DirectorySeparatorChar);
    }

    /// <summary>This library and the ones next to it.</summary>
    public static IEnumerable<string> Libraries => Directory.EnumerateFiles(AppContext.BaseDirectory, "*.so")
        .Where(f => Path.GetFileName(f) is "liblfr.so" or "libonnxruntime.so" or "liblfr_media.so").Order(StringComparer.Ordinal);

    // Null without /proc; then the libraries are searched for in the usual way.
    private static string? Find()
    {
        const string Maps = "/proc/self/maps";
        if (!File.Exists(Maps))
            return null;
        ulong here = (ulong)(delegate* unmanaged[Cdecl]<nint>)&Here;
        foreach (string line in File.ReadLines(Maps))
        {
            // 7f00-7f10 r-xp 00000000 08:01 12345   /path/liblfr.so
            int dash = line.IndexOf('-', StringComparison.Ordinal), space = line.IndexOf(' ', StringComparison.Ordinal), path = line.IndexOf('/', StringComparison.Ordinal);
            if (path > 0 && here >= ulong.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                && here < ulong.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture))
                return WithoutVariant(Path.GetDirectoryName(line[path..])!);
        }
        return null;
    }

    // The build for newer processors is in glibc-hwcaps/x86-64-v4 below the folder; the other libraries are in the folder itself.
    private static string WithoutVariant(string folder) =>
        Path.GetDirectoryName(folder) is { } variants && Path.GetFileName(variants) == "glibc-hwcaps" ? Path.GetDirectoryName(variants)! : folder;

    // An address inside this library.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint Here() => 0;
}
