// Stand-in for Silk.NET.DXGI 2.23.0, checked against src/Microsoft/Silk.NET.DXGI/Structs/{IDXGIFactory4,IDXGIAdapter,IDXGIResource1,SampleDesc}.gen.cs
// (IDXGIResource1 at 49ef276b) and Enums/Format.gen.cs of dotnet/Silk.NET. Only the raw-pointer overloads that are used; nothing runs.
using Silk.NET.Core.Native;

namespace Silk.NET.DXGI;

public enum Format
{
    FormatUnknown = 0,
    FormatNV12 = 0x67,
    FormatP010 = 0x68,
}

public struct SampleDesc
{
    public uint Count;
    public uint Quality;
}

public unsafe struct IDXGIAdapter
{
    public static readonly Guid Guid = new("2411e7e1-12ac-4ccf-bd14-9798e8534dc0");

    public void** LpVtbl;
}

public unsafe struct IDXGIFactory4
{
    public static readonly Guid Guid = new("1bc6ea02-ef36-464f-bf0c-21ca39e5168a");

    public void** LpVtbl;

    public readonly int EnumAdapterByLuid(Luid AdapterLuid, Guid* riid, void** ppvAdapter) => throw new PlatformNotSupportedException();
}

public unsafe struct IDXGIResource1
{
    public static readonly Guid Guid = new("30961379-4609-4a41-998e-54fe567ee0c1");

    public void** LpVtbl;

    public readonly int CreateSharedHandle(SecurityAttributes* pAttributes, uint dwAccess, char* lpName, void** pHandle) => throw new PlatformNotSupportedException();
}
