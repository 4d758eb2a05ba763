using System.Runtime.InteropServices;

namespace LfrEngine.DirectX.Devices;

/// <summary>COM interfaces held as raw pointers.</summary>
internal static unsafe class ComPointer
{
    /// <summary>Releases an interface; null is ignored.</summary>
    public static void Release(void* pointer)
    {
        if (pointer != null)
            Marshal.Release((nint)pointer);
    }
}
