// Stand-in for Silk.NET.Direct3D11 2.23.0, checked against src/Microsoft/Silk.NET.Direct3D11/Structs/*.gen.cs of dotnet/Silk.NET (the files are named
// as the types; ID3D11Device5 at 7c38fa25, ID3D11DeviceContext4 at dd365c7e, ID3D11Texture2D at 43c56bbc, FenceFlag at aceaf42c). Only the raw-pointer
// overloads that are used; nothing runs.
using Silk.NET.Core.Native;
using Silk.NET.DXGI;

namespace Silk.NET.Direct3D11;

// Without members: their names differ between versions (FenceFlagShared, Shared), so a number is cast.
[Flags]
public enum FenceFlag
{
}

public enum Feature
{
}

public enum Usage
{
    Default = 0,
}

public struct Box
{
    public uint Left, Top, Front, Right, Bottom, Back;
}

public struct Texture2DDesc
{
    public uint Width;
    public uint Height;
    public uint MipLevels;
    public uint ArraySize;
    public Format Format;
    public SampleDesc SampleDesc;
    public Usage Usage;
    public uint BindFlags;
    public uint CPUAccessFlags;
    public uint MiscFlags;
}

public unsafe struct SubresourceData
{
    public void* PSysMem;
    public uint SysMemPitch;
    public uint SysMemSlicePitch;
}

public unsafe struct ID3D11Resource
{
    public void** LpVtbl;
}

public unsafe struct ID3D11Device
{
    public static readonly Guid Guid = new("db6f6ddb-ac77-4e88-8253-819df9bbf140");

    public void** LpVtbl;

    public readonly int QueryInterface(Guid* riid, void** ppvObject) => throw new PlatformNotSupportedException();

    public readonly uint AddRef() => throw new PlatformNotSupportedException();

    public readonly int CreateTexture2D(Texture2DDesc* pDesc, SubresourceData* pInitialData, ID3D11Texture2D** ppTexture2D) => throw new PlatformNotSupportedException();

    public readonly int CheckFeatureSupport(Feature Feature, void* pFeatureSupportData, uint FeatureSupportDataSize) => throw new PlatformNotSupportedException();

    public readonly int GetDeviceRemovedReason() => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D11Device5
{
    public static readonly Guid Guid = new("8ffde202-a0e7-45df-9e01-e837801b5ea0");

    public void** LpVtbl;

    public readonly int CreateFence(ulong InitialValue, FenceFlag Flags, Guid* ReturnedInterface, void** ppFence) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D11DeviceContext
{
    public void** LpVtbl;

    public readonly int QueryInterface(Guid* riid, void** ppvObject) => throw new PlatformNotSupportedException();

    public readonly uint AddRef() => throw new PlatformNotSupportedException();

    public readonly void CopySubresourceRegion(ID3D11Resource* pDstResource, uint DstSubresource, uint DstX, uint DstY, uint DstZ, ID3D11Resource* pSrcResource, uint SrcSubresource, Box* pSrcBox) =>
        throw new PlatformNotSupportedException();

    public readonly void Flush() => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D11DeviceContext4
{
    public static readonly Guid Guid = new("917600da-f58c-4c33-98d8-3e15b390fa24");

    public void** LpVtbl;

    public readonly int Signal(ID3D11Fence* pFence, ulong Value) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D11Fence
{
    public static readonly Guid Guid = new("affde9d1-1df7-4bb7-8a34-0f46251dab80");

    public void** LpVtbl;

    public readonly int CreateSharedHandle(SecurityAttributes* pAttributes, uint dwAccess, char* lpName, void** pHandle) => throw new PlatformNotSupportedException();

    public readonly int SetEventOnCompletion(ulong Value, void* hEvent) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D11Texture2D
{
    public static readonly Guid Guid = new("6f15aaf2-d208-4e89-9ab4-489535d34f9c");

    public void** LpVtbl;

    public readonly int QueryInterface(Guid* riid, void** ppvObject) => throw new PlatformNotSupportedException();

    public readonly uint AddRef() => throw new PlatformNotSupportedException();

    public readonly void GetDesc(Texture2DDesc* pDesc) => throw new PlatformNotSupportedException();
}
