using System.Runtime.InteropServices;

namespace LfrEngine.DirectX.Devices;

/// <summary>HRESULTs of DXGI, Direct3D and DirectML in words.</summary>
internal static class HResult
{
    public const int DeviceRemoved = unchecked((int)0x887A0005), DeviceHung = unchecked((int)0x887A0006), DeviceReset = unchecked((int)0x887A0007);

    /// <summary>Throws unless the call succeeded.</summary>
    /// <param name="status">What it returned.</param>
    /// <param name="step">What was tried, for the message: "the shared texture cannot be made".</param>
    /// <exception cref="GpuException">It failed.</exception>
    public static void ThrowIfFailed(int status, string step)
    {
        if (status < 0)
            throw new GpuException($"{step}: {Describe(status)}");
    }

    /// <summary>Name and meaning, with the number.</summary>
    public static string Describe(int status)
    {
        string words = unchecked((uint)status) switch
        {
            0x80004001 => "not implemented by this driver (E_NOTIMPL)",
            0x80004002 => "the driver lacks this interface (E_NOINTERFACE); update it, or Windows",
            0x80004005 => "unspecified failure (E_FAIL)",
            0x80070005 => "access denied (E_ACCESSDENIED)",
            0x8007000E => "out of memory (E_OUTOFMEMORY)",
            0x80070057 => "invalid argument (E_INVALIDARG): the driver does not accept this combination",
            0x887A0001 => "invalid call (DXGI_ERROR_INVALID_CALL)",
            0x887A0002 => "not found (DXGI_ERROR_NOT_FOUND)",
            0x887A0004 => "not supported by this device or driver (DXGI_ERROR_UNSUPPORTED)",
            0x887A0005 => "the device was removed, or its driver was updated (DXGI_ERROR_DEVICE_REMOVED)",
            0x887A0006 => "the device hung (DXGI_ERROR_DEVICE_HUNG)",
            0x887A0007 => "the device was reset (DXGI_ERROR_DEVICE_RESET)",
            0x887A0020 => "internal error of the driver (DXGI_ERROR_DRIVER_INTERNAL_ERROR)",
            0x887A002B => "access to the device was denied (DXGI_ERROR_ACCESS_DENIED)",
            0x887A002D => "the graphics tools or SDK layers are missing (DXGI_ERROR_SDK_COMPONENT_MISSING)",
            0x887E0003 => "the adapter was not found (D3D12_ERROR_ADAPTER_NOT_FOUND)",
            _ => Marshal.GetExceptionForHR(status)?.Message ?? "success",
        };
        return $"{words}, 0x{status:X8}";
    }
}
