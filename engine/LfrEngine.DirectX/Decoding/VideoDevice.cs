using System.Runtime.InteropServices;
using LfrEngine.DirectX.Devices;
using LfrEngine.Memory;
using Silk.NET.Direct3D11;
using Silk.NET.DXGI;

namespace LfrEngine.DirectX.Decoding;

/// <summary>A Direct3D 11 device for decoding, on the adapter that everything else runs on. Used by one thread.</summary>
internal sealed unsafe partial class VideoDevice : IDisposable
{
    // d3d11.h: D3D11_SDK_VERSION, D3D11_CREATE_DEVICE_VIDEO_SUPPORT; D3D_DRIVER_TYPE_UNKNOWN, as an adapter is given.
    private const uint SdkVersion = 7, VideoSupport = 0x800;
    private const int DriverTypeUnknown = 0;

    // d3d11.h: D3D11_BIND_SHADER_RESOURCE, D3D11_RESOURCE_MISC_SHARED, D3D11_RESOURCE_MISC_SHARED_NTHANDLE.
    private const uint BindShaderResource = 0x8, MiscShared = 0x2, MiscSharedNtHandle = 0x800;

    // d3d11.h: D3D11_FEATURE_D3D11_OPTIONS4. A number, as for the fence's flags.
    private const Silk.NET.Direct3D11.Feature Options4 = (Silk.NET.Direct3D11.Feature)17;

    private readonly ID3D11Device* device;
    private readonly ID3D11DeviceContext* context;

    /// <summary>Makes the device.</summary>
    /// <param name="gpu">Whose adapter it must be on (by LUID), so that textures can be shared without a copy through host memory.</param>
    /// <exception cref="GpuException">The adapter or its driver cannot decode.</exception>
    public VideoDevice(GpuDevice gpu)
    {
        IDXGIFactory4* factory = null;
        IDXGIAdapter* adapter = null;
        try
        {
            Guid id = IDXGIFactory4.Guid;
            HResult.ThrowIfFailed(CreateDXGIFactory2(0, &id, (void**)&factory), "The list of adapters cannot be opened");
            id = IDXGIAdapter.Guid;
            HResult.ThrowIfFailed(factory->EnumAdapterByLuid(gpu.Native->GetAdapterLuid(), &id, (void**)&adapter), "The GPU's adapter cannot be found by its LUID");
            ID3D11Device* made = null;
            ID3D11DeviceContext* madeContext = null;
            HResult.ThrowIfFailed(D3D11CreateDevice(adapter, DriverTypeUnknown, 0, VideoSupport, null, 0, SdkVersion, &made, null, &madeContext),
                "Direct3D 11 with video support cannot be started on this adapter");
            device = made;
            context = madeContext;
            RequireSharing(made);
        }
        catch
        {
            Dispose();
            throw;
        }
        finally
        {
            ComPointer.Release(adapter);
            ComPointer.Release(factory);
        }
    }

    public ID3D11Device* Native => device;

    public ID3D11DeviceContext* Context => context;

    /// <summary>Whether the device was lost.</summary>
    public bool IsLost => device->GetDeviceRemovedReason() < 0;

    /// <summary>An NV12 texture that Direct3D 12 can open.</summary>
    public ID3D11Texture2D* CreateShared(uint width, uint height) =>
        Create(width, height, MiscShared | MiscSharedNtHandle, null, "A shareable NV12 texture cannot be made");

    /// <summary>An NV12 texture of zeros, to clear others with: decoder textures cannot be cleared in another way.</summary>
    public ID3D11Texture2D* CreateZero(uint width, uint height)
    {
        using HostBuffer<byte> zeros = BufferPool.Rent<byte>(checked((int)(width * height * 3 / 2)));
        var data = new SubresourceData { PSysMem = zeros.Pointer, SysMemPitch = width };
        return Create(width, height, 0, &data, "A texture of zeros cannot be made");
    }

    public void Dispose()
    {
        ComPointer.Release(context);
        ComPointer.Release(device);
    }

    // Without it a shared NV12 texture may be made and never be opened, or show nothing.
    private static void RequireSharing(ID3D11Device* made)
    {
        // D3D11_FEATURE_DATA_D3D11_OPTIONS4: one BOOL, ExtendedNV12SharedTextureSupported. A Windows that does not know the question fails it.
        int supported = 0;
        if (made->CheckFeatureSupport(Options4, &supported, sizeof(int)) < 0 || supported == 0)
            throw new GpuException("This driver does not share NV12 textures between Direct3D 11 and 12 (ExtendedNV12SharedTextureSupported), so frames cannot stay on the GPU.");
    }

    private ID3D11Texture2D* Create(uint width, uint height, uint miscFlags, SubresourceData* data, string step)
    {
        var description = new Texture2DDesc
        {
            Width = width,
            Height = height,
            MipLevels = 1,
            ArraySize = 1,
            Format = Format.FormatNV12,
            BindFlags = BindShaderResource,
            MiscFlags = miscFlags,
        };
        description.SampleDesc.Count = 1;
        ID3D11Texture2D* texture = null;
        HResult.ThrowIfFailed(device->CreateTexture2D(&description, data, &texture), step);
        return texture;
    }

    [LibraryImport("dxgi")]
    private static partial int CreateDXGIFactory2(uint flags, Guid* riid, void** factory);

    [LibraryImport("d3d11")]
    private static partial int D3D11CreateDevice(IDXGIAdapter* adapter, int driverType, nint software, uint flags, int* featureLevels, uint featureLevelCount, uint sdkVersion,
        ID3D11Device** device, int* featureLevel, ID3D11DeviceContext** context);
}
