using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>ONNX Runtime's C API, for what the managed wrapper does not expose. Slots as in onnxruntime_c_api.h; the table only ever grows at its end.</summary>
internal static unsafe partial class OrtNativeApi
{
    private const int GetErrorMessageSlot = 2, ReleaseStatusSlot = 93;

    /// <summary>The minor version of the loaded library, which is the version of its API.</summary>
    public static uint Version { get; } = uint.Parse(OrtEnv.Instance().GetVersionString().Split('.')[1], CultureInfo.InvariantCulture);

    /// <summary>The function in a slot of <c>OrtApi</c>.</summary>
    /// <exception cref="InvalidOperationException">The library offers no API of its own version.</exception>
    public static void* Slot(int slot)
    {
        void** api = ((delegate* unmanaged[Cdecl]<uint, void**>)(*(void**)OrtGetApiBase()))(Version);
        return api != null ? api[slot] : throw new InvalidOperationException($"ONNX Runtime offers no C API of version {Version}.");
    }

    /// <summary>Converts a status to an exception with the runtime's message.</summary>
    /// <param name="status">From a function of the C API; released here.</param>
    /// <param name="what">What was requested.</param>
    /// <exception cref="InvalidOperationException">The runtime refused.</exception>
    public static void ThrowIfFailed(nint status, string what)
    {
        if (status == 0)
            return;
        string text = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)Slot(GetErrorMessageSlot))(status)) ?? "no reason given";
        ((delegate* unmanaged[Cdecl]<nint, void>)Slot(ReleaseStatusSlot))(status);
        throw new InvalidOperationException($"ONNX Runtime refused {what}: {text}");
    }

    [LibraryImport("onnxruntime")]
    private static partial nint OrtGetApiBase();
}
