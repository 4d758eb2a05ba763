// Stand-in for Silk.NET.Direct3D12 2.23.0, checked against src/Microsoft/Silk.NET.Direct3D12/Structs/*.gen.cs and Enums/*.gen.cs of dotnet/Silk.NET (the
// files are named as the types; ID3D12Device and ID3D12GraphicsCommandList at 7c38fa25, ID3D12Fence at 49ef276b, CommandListType and ResourceDesc at
// 6176dfbf, TextureCopyType at 55158121, FenceFlags at b68eb030). Only the raw-pointer overloads that are used; nothing runs.
using Silk.NET.Core.Native;
using Silk.NET.DXGI;

namespace Silk.NET.Direct3D12;

public enum CommandListType
{
    Compute = 2,
}

[Flags]
public enum CommandQueueFlags
{
    None = 0,
}

[Flags]
public enum FenceFlags
{
    None = 0,
}

public enum ResourceDimension
{
    Unknown = 0,
}

public enum TextureLayout
{
    LayoutUnknown = 0,
}

[Flags]
public enum ResourceFlags
{
    None = 0,
}

public enum TextureCopyType
{
    SubresourceIndex = 0,
    PlacedFootprint = 1,
}

public struct Box
{
    public uint Left, Top, Front, Right, Bottom, Back;
}

public struct CommandQueueDesc
{
    public CommandListType Type;
    public int Priority;
    public CommandQueueFlags Flags;
    public uint NodeMask;
}

public struct ResourceDesc
{
    public ResourceDimension Dimension;
    public ulong Alignment;
    public ulong Width;
    public uint Height;
    public ushort DepthOrArraySize;
    public ushort MipLevels;
    public Format Format;
    public SampleDesc SampleDesc;
    public TextureLayout Layout;
    public ResourceFlags Flags;
}

public struct SubresourceFootprint
{
    public Format Format;
    public uint Width;
    public uint Height;
    public uint Depth;
    public uint RowPitch;
}

public struct PlacedSubresourceFootprint
{
    public ulong Offset;
    public SubresourceFootprint Footprint;
}

public unsafe struct TextureCopyLocation
{
    private PlacedSubresourceFootprint placed;
    private uint index;

    public ID3D12Resource* PResource;
    public TextureCopyType Type;

    // Both by reference into a union, in the package.
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref PlacedSubresourceFootprint PlacedFootprint => ref placed;

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref uint SubresourceIndex => ref index;
}

public unsafe struct ID3D12Device
{
    public static readonly Guid Guid = new("189819f1-1db6-4b57-be54-1821339b85f7");

    public void** LpVtbl;

    public readonly int QueryInterface(Guid* riid, void** ppvObject) => throw new PlatformNotSupportedException();

    public readonly int CreateCommandQueue(CommandQueueDesc* pDesc, Guid* riid, void** ppCommandQueue) => throw new PlatformNotSupportedException();

    public readonly int CreateCommandAllocator(CommandListType type, Guid* riid, void** ppCommandAllocator) => throw new PlatformNotSupportedException();

    public readonly int CreateCommandList(uint nodeMask, CommandListType type, ID3D12CommandAllocator* pCommandAllocator, ID3D12PipelineState* pInitialState, Guid* riid, void** ppCommandList) =>
        throw new PlatformNotSupportedException();

    public readonly int CreateFence(ulong InitialValue, FenceFlags Flags, Guid* riid, void** ppFence) => throw new PlatformNotSupportedException();

    public readonly int OpenSharedHandle(void* NTHandle, Guid* riid, void** ppvObj) => throw new PlatformNotSupportedException();

    public readonly int GetDeviceRemovedReason() => throw new PlatformNotSupportedException();

    public readonly Luid GetAdapterLuid() => throw new PlatformNotSupportedException();

    public readonly void GetCopyableFootprints(ResourceDesc* pResourceDesc, uint FirstSubresource, uint NumSubresources, ulong BaseOffset, PlacedSubresourceFootprint* pLayouts,
        uint* pNumRows, ulong* pRowSizeInBytes, ulong* pTotalBytes) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12Device5
{
    public static readonly Guid Guid = new("8b4f173b-2fea-4b80-8f58-4307191ab95d");

    public void** LpVtbl;

    public readonly void RemoveDevice() => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12CommandQueue
{
    public static readonly Guid Guid = new("0ec870a6-5d7e-4c22-8cfc-5baae07616ed");

    public void** LpVtbl;

    public readonly void ExecuteCommandLists(uint NumCommandLists, ID3D12CommandList** ppCommandLists) => throw new PlatformNotSupportedException();

    public readonly int Signal(ID3D12Fence* pFence, ulong Value) => throw new PlatformNotSupportedException();

    public readonly int Wait(ID3D12Fence* pFence, ulong Value) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12CommandList
{
    public void** LpVtbl;
}

public unsafe struct ID3D12PipelineState
{
    public void** LpVtbl;
}

public unsafe struct ID3D12CommandAllocator
{
    public static readonly Guid Guid = new("6102dee4-af59-4b09-b999-b44d73f09b24");

    public void** LpVtbl;

    public readonly int Reset() => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12GraphicsCommandList
{
    public static readonly Guid Guid = new("5b160d0f-ac1b-4185-8ba8-b3ae42a5a455");

    public void** LpVtbl;

    public readonly int Close() => throw new PlatformNotSupportedException();

    public readonly int Reset(ID3D12CommandAllocator* pAllocator, ID3D12PipelineState* pInitialState) => throw new PlatformNotSupportedException();

    public readonly void CopyTextureRegion(TextureCopyLocation* pDst, uint DstX, uint DstY, uint DstZ, TextureCopyLocation* pSrc, Box* pSrcBox) =>
        throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12Fence
{
    public static readonly Guid Guid = new("0a753dcf-c4d8-4b91-adf6-be5a60d95a76");

    public void** LpVtbl;

    public readonly ulong GetCompletedValue() => throw new PlatformNotSupportedException();

    public readonly int SetEventOnCompletion(ulong Value, void* hEvent) => throw new PlatformNotSupportedException();
}

public unsafe struct ID3D12Resource
{
    public static readonly Guid Guid = new("696442be-a72e-4059-bc79-5b5c98040fad");

    public void** LpVtbl;
}
