using System.Runtime.InteropServices;
using ComputeSharp.Interop;
using LfrEngine.DirectX.Devices;
using LfrEngine.Memory;
using Silk.NET.Core.Native;
using Silk.NET.Direct3D11;
using Silk.NET.DXGI;
using D3D12 = Silk.NET.Direct3D12;
using HResult = LfrEngine.DirectX.Devices.HResult;

namespace LfrEngine.DirectX.Decoding;

/// <summary>Passes a decoded picture from Direct3D 11 to 12: a shared texture, and a fence that one signals and the other waits for.</summary>
/// <remarks>Cleared after every picture. Used by one thread.</remarks>
internal sealed unsafe partial class SharedTexture : IDeviceResident, IDisposable
{
    // winnt.h: GENERIC_ALL; dxgi1_2.h: DXGI_SHARED_RESOURCE_READ, DXGI_SHARED_RESOURCE_WRITE.
    private const uint GenericAll = 0x10000000, SharedReadWrite = 0x80000001;

    // d3d11_3.h: D3D11_FENCE_FLAG_SHARED; d3d12.h: D3D12_RESOURCE_DIMENSION_TEXTURE2D.
    private const FenceFlag FenceShared = (FenceFlag)2;
    private const D3D12.ResourceDimension Texture2D = (D3D12.ResourceDimension)3;

    private readonly FrameStore store;
    private readonly VideoDevice video;
    private readonly ID3D11Texture2D* texture;
    private readonly ID3D11Texture2D* zero;
    private readonly ID3D11DeviceContext4* signaller;
    private readonly ID3D11Fence* fence;
    private readonly AutoResetEvent done = new(false);
    private D3D12.ID3D12Resource* opened;
    private D3D12.ID3D12Fence* openedFence;
    private ulong value;

    /// <summary>Makes the texture and opens it on both sides.</summary>
    /// <param name="store">Where pictures go.</param>
    /// <param name="video">Decodes.</param>
    /// <param name="width">Pixels of a picture.</param>
    /// <param name="height">Pixels of a picture.</param>
    /// <param name="codedWidth">Pixels of the decoder's textures, never less.</param>
    /// <param name="codedHeight">Pixels of the decoder's textures, never less.</param>
    public SharedTexture(FrameStore store, VideoDevice video, int width, int height, uint codedWidth, uint codedHeight)
    {
        (this.store, this.video, Width, Height) = (store, video, width, height);
        store.Context.Register(this);
        try
        {
            texture = video.CreateShared(EvenWidth, EvenHeight);
            zero = video.CreateZero(codedWidth, codedHeight);
            fence = CreateFence();
            Guid id = ID3D11DeviceContext4.Guid;
            ID3D11DeviceContext4* found = null;
            HResult.ThrowIfFailed(video.Context->QueryInterface(&id, (void**)&found), "This Windows has no fences in Direct3D 11 (version 1703 has)");
            signaller = found;
            store.Context.Use(Open);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int Width { get; }

    public int Height { get; }

    public ResidentLayer Layer => ResidentLayer.Plan;

    private uint EvenWidth => (uint)(Width + 1) & ~1u;

    private uint EvenHeight => (uint)(Height + 1) & ~1u;

    /// <summary>Brings one slice of the decoder's texture array to the device; the slice may be used again when this returns.</summary>
    /// <param name="source">The decoder's texture array.</param>
    /// <param name="slice">Which picture in it.</param>
    /// <param name="left">First column of the picture.</param>
    /// <param name="top">First row of the picture.</param>
    /// <returns>Owned by the caller.</returns>
    public GpuFrame Bring(ID3D11Texture2D* source, uint slice, uint left, uint top)
    {
        // NV12 textures are cut at even places.
        left &= ~1u;
        top &= ~1u;
        var box = new Box { Left = left, Top = top, Right = left + EvenWidth, Bottom = top + EvenHeight, Back = 1 };
        video.Context->CopySubresourceRegion((ID3D11Resource*)texture, 0, 0, 0, 0, (ID3D11Resource*)source, slice, &box);
        Signal();
        try
        {
            // Here, not in the queue: whoever has the device holds it for all cameras, and this camera's decoder may take its time.
            AwaitDecoder();
            return store.Context.Use(Take);
        }
        finally
        {
            // The copy on the other side has finished, or the device was lost.
            ClearShared();
        }
    }

    /// <summary>Clears every slice of the decoder's texture array. The decoder must be done with it.</summary>
    /// <param name="array">The decoder's texture array.</param>
    public void ClearSlices(ID3D11Texture2D* array)
    {
        if (video.IsLost)
        {
            DeviceMemory.CountLost();
            return;
        }
        Texture2DDesc description;
        array->GetDesc(&description);
        Box* whole = null;
        for (uint slice = 0; slice < description.ArraySize; slice++)
            video.Context->CopySubresourceRegion((ID3D11Resource*)array, slice, 0, 0, 0, (ID3D11Resource*)zero, 0, whole);
        Signal();
        AwaitDecoder();
        if (!video.IsLost)
            DeviceMemory.CountWiped((long)description.Width * description.Height * 3 / 2 * description.ArraySize);
    }

    public void LeaveDevice(GpuDevice? alive)
    {
        ComPointer.Release(openedFence);
        ComPointer.Release(opened);
        openedFence = null;
        opened = null;
    }

    public void Dispose()
    {
        store.Context.Unregister(this);
        LeaveDevice(null);
        ComPointer.Release(signaller);
        ComPointer.Release(fence);
        ComPointer.Release(zero);
        ComPointer.Release(texture);
        done.Dispose();
    }

    private void Signal()
    {
        HResult.ThrowIfFailed(signaller->Signal(fence, ++value), "The decoder's fence cannot be signalled");
        video.Context->Flush();
    }

    // A lost device signals all fences, so this always ends.
    private void AwaitDecoder()
    {
        HResult.ThrowIfFailed(fence->SetEventOnCompletion(value, (void*)done.SafeWaitHandle.DangerousGetHandle()), "The decoder's fence cannot be waited for");
        done.WaitOne();
    }

    private void ClearShared()
    {
        var box = new Box { Right = EvenWidth, Bottom = EvenHeight, Back = 1 };
        video.Context->CopySubresourceRegion((ID3D11Resource*)texture, 0, 0, 0, 0, (ID3D11Resource*)zero, 0, &box);
        video.Context->Flush();
        if (!video.IsLost)
            DeviceMemory.CountWiped((long)EvenWidth * EvenHeight * 3 / 2);
    }

    // Plane by plane into a buffer, which is what shaders read. No barriers: a shared texture is in the common state and is promoted for reading, buffers
    // are promoted for writing, and both decay when the list has been executed.
    private GpuFrame Take(GpuDevice gpu)
    {
        if (opened == null)
            throw new DeviceLostException("The shared texture was lost with its device.");
        var description = new D3D12.ResourceDesc
        {
            Dimension = Texture2D,
            Width = EvenWidth,
            Height = EvenHeight,
            DepthOrArraySize = 1,
            MipLevels = 1,
            Format = Format.FormatNV12,
        };
        description.SampleDesc.Count = 1;
        D3D12.PlacedSubresourceFootprint* planes = stackalloc D3D12.PlacedSubresourceFootprint[2];
        uint* rowCounts = null;
        ulong* rowBytes = null;
        ulong total = 0;
        gpu.Native->GetCopyableFootprints(&description, 0, 2, 0, planes, rowCounts, rowBytes, &total);
        GpuBuffer<uint> buffer = store.Take(FrameBytes(total));
        D3D12.ID3D12Resource* target = null;
        try
        {
            Guid id = D3D12.ID3D12Resource.Guid;
            HResult.ThrowIfFailed(InteropServices.TryGetID3D12Resource(buffer.On(gpu), &id, (void**)&target), "The frame's buffer has no Direct3D resource");
            D3D12.ID3D12GraphicsCommandList* list = gpu.Queue.Begin();
            for (uint plane = 0; plane < 2; plane++)
            {
                D3D12.TextureCopyLocation from = default, to = default;
                from.PResource = opened;
                from.Type = D3D12.TextureCopyType.SubresourceIndex;
                from.SubresourceIndex = plane;
                to.PResource = target;
                to.Type = D3D12.TextureCopyType.PlacedFootprint;
                to.PlacedFootprint = planes[plane];
                D3D12.Box* whole = null;
                list->CopyTextureRegion(&to, 0, 0, 0, &from, whole);
            }
            gpu.Queue.Run(openedFence, value);
            int chroma = checked((int)planes[1].Offset);
            return new GpuFrame(store, gpu, buffer, new FrameLayout((int)planes[0].Footprint.RowPitch, chroma, chroma + 1, (int)planes[1].Footprint.RowPitch, 2));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
        finally
        {
            ComPointer.Release(target);
        }
    }

    /// <summary>Bytes that a picture takes in a buffer.</summary>
    /// <param name="total">From GetCopyableFootprints, which says 2⁶⁴ − 1 of a format that it does not know.</param>
    /// <exception cref="GpuException">The driver cannot copy the format, or the picture is too large.</exception>
    internal static int FrameBytes(ulong total) => total switch
    {
        ulong.MaxValue => throw new GpuException("This driver cannot copy NV12 pictures into a buffer (GetCopyableFootprints does not know the format)."),
        > int.MaxValue => throw new GpuException($"A picture of {total >> 20} MiB is too large for the GPU path."),
        _ => (int)total,
    };

    private ID3D11Fence* CreateFence()
    {
        Guid id = ID3D11Device5.Guid;
        ID3D11Device5* newer = null;
        HResult.ThrowIfFailed(video.Native->QueryInterface(&id, (void**)&newer), "This Windows has no fences in Direct3D 11 (version 1703 has)");
        try
        {
            id = ID3D11Fence.Guid;
            ID3D11Fence* made = null;
            HResult.ThrowIfFailed(newer->CreateFence(0, FenceShared, &id, (void**)&made), "A shared fence cannot be made");
            return made;
        }
        finally
        {
            ComPointer.Release(newer);
        }
    }

    private void Open(GpuDevice gpu)
    {
        void* handle = null;
        char* unnamed = null;
        SecurityAttributes* ours = null;
        IDXGIResource1* resource = null;
        Guid id = IDXGIResource1.Guid;
        HResult.ThrowIfFailed(texture->QueryInterface(&id, (void**)&resource), "The shared texture has no handle");
        int status = resource->CreateSharedHandle(ours, SharedReadWrite, unnamed, &handle);
        ComPointer.Release(resource);
        HResult.ThrowIfFailed(status, "The NV12 texture cannot be shared between Direct3D 11 and 12 by this driver");
        try
        {
            id = D3D12.ID3D12Resource.Guid;
            D3D12.ID3D12Resource* found = null;
            HResult.ThrowIfFailed(gpu.Native->OpenSharedHandle(handle, &id, (void**)&found), "Direct3D 12 cannot open the shared NV12 texture");
            opened = found;
        }
        finally
        {
            _ = CloseHandle(handle);
        }
        HResult.ThrowIfFailed(fence->CreateSharedHandle(ours, GenericAll, unnamed, &handle), "The fence cannot be shared");
        try
        {
            id = D3D12.ID3D12Fence.Guid;
            D3D12.ID3D12Fence* found = null;
            HResult.ThrowIfFailed(gpu.Native->OpenSharedHandle(handle, &id, (void**)&found), "Direct3D 12 cannot open the shared fence");
            openedFence = found;
        }
        finally
        {
            _ = CloseHandle(handle);
        }
    }

    [LibraryImport("kernel32")]
    private static partial int CloseHandle(void* handle);
}
