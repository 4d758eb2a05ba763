// Stand-in for ComputeSharp 3.2.0, checked against src/ComputeSharp/Graphics/GraphicsDevice*.cs, Luid.cs, DeviceLost*.cs, Interop/InteropServices.cs,
// Extensions/GraphicsDeviceExtensions.*.cs and Shaders/**. It executes shaders on the calling thread, one thread of the grid after the other, from the
// last to the first: an order that no shader may rely on. There is no Direct3D behind it.
using ComputeSharp.Resources;

namespace ComputeSharp
{
    public readonly struct Luid : IEquatable<Luid>
    {
#pragma warning disable CS0169, CS0649 // The package's layout; nothing reads it here.
        private readonly uint lowPart;
        private readonly int highPart;
#pragma warning restore CS0169, CS0649

        internal Luid(uint lowPart) => this.lowPart = lowPart;

        public bool Equals(Luid other) => lowPart == other.lowPart && highPart == other.highPart;

        public override bool Equals(object? obj) => obj is Luid other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(lowPart, highPart);
    }

    public enum AllocationMode
    {
        Default,
        Clear,
    }

    public enum DeviceLostReason
    {
        DeviceRemoved = unchecked((int)0x887A0005),
        DeviceHung = unchecked((int)0x887A0006),
        DeviceReset = unchecked((int)0x887A0007),
        DriverInternalError = unchecked((int)0x887A0020),
        InvalidCall = unchecked((int)0x887A0001),
        AccessDenied = unchecked((int)0x887A002B),
        UnspecifiedError = unchecked((int)0x80004005),
    }

    public sealed class DeviceLostEventArgs : EventArgs
    {
        internal DeviceLostEventArgs(DeviceLostReason reason) => Reason = reason;

        public DeviceLostReason Reason { get; }
    }

    public readonly struct GraphicsDeviceInfo
    {
        internal GraphicsDeviceInfo(uint number, string name) => (Number, Name) = (number, name);

        public Luid Luid => new(Number);

        public string Name { get; }

        internal uint Number { get; }
    }

    public sealed class GraphicsDevice : IDisposable
    {
        private static readonly Lock Gate = new();
        private static readonly Dictionary<string, GraphicsDevice> Current = [];
        private static GraphicsDeviceInfo[] adapters = [new(1, "ComputeSharp stand-in"), new(2, "Second stand-in")];
        private readonly GraphicsDeviceInfo adapter;
        private bool disposed;
        private bool lost;

        private GraphicsDevice(GraphicsDeviceInfo adapter) => this.adapter = adapter;

        public event EventHandler<DeviceLostEventArgs>? DeviceLost;

        public Luid Luid => adapter.Luid;

        public string Name => adapter.Name;

        public nuint DedicatedMemorySize => 0;

        public bool IsHardwareAccelerated => false;

        /// <summary>Only here: buffers that have not been disposed, so that a test can tell what is left on the device.</summary>
        public static int LiveBuffers { get; internal set; }

        public static GraphicsDevice GetDefault() => Open(adapters[0]);

        public static IEnumerable<GraphicsDevice> QueryDevices(Predicate<GraphicsDeviceInfo> predicate) => adapters.Where(a => predicate(a)).Select(Open);

        /// <summary>Only here: what an update of the driver does.</summary>
        public static void RenewLuids() => adapters = [.. adapters.Select(a => new GraphicsDeviceInfo(a.Number + 100, a.Name))];

        /// <summary>Only here: what a driver does when it resets. As in the package the event comes on a thread of the pool; whoever waits in it for the work that lost the device waits for ever.</summary>
        public void Lose(DeviceLostReason reason)
        {
            lost = true;
            if (!Task.Run(() => DeviceLost?.Invoke(this, new DeviceLostEventArgs(reason))).Wait(TimeSpan.FromSeconds(30)))
                throw new TimeoutException("A handler of DeviceLost waits for the work during which the device was lost.");
        }

        public void Dispose() => disposed = true;

        // As in the package a lost device must be gone, and everything on it, before there is a new one.
        private static GraphicsDevice Open(GraphicsDeviceInfo adapter)
        {
            lock (Gate)
            {
                Current.TryGetValue(adapter.Name, out GraphicsDevice? current);
                if (current is { disposed: false, lost: true } || (current is { lost: true } && LiveBuffers > 0))
                    throw new InvalidOperationException("The device was lost and something of it has not been disposed.");
                if (current is null or { disposed: true })
                    Current[adapter.Name] = current = new GraphicsDevice(adapter);
                return current;
            }
        }

        internal void ThrowIfDeviceLost()
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (lost)
                throw new InvalidOperationException($"The device \"{this}\" has been lost and can no longer be used.");
        }

        internal void Dispatch<T>(int x, int y, int z, in T shader)
            where T : struct, IComputeShader
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(x, 1);
            ArgumentOutOfRangeException.ThrowIfLessThan(y, 1);
            ArgumentOutOfRangeException.ThrowIfLessThan(z, 1);
            ThrowIfDeviceLost();
            T copy = shader;
            for (int k = z - 1; k >= 0; k--)
            {
                for (int j = y - 1; j >= 0; j--)
                {
                    for (int i = x - 1; i >= 0; i--)
                    {
                        ThreadIds.Set(i, j, k);
                        copy.Execute();
                    }
                }
            }
        }
    }

    public static class GraphicsDeviceExtensions
    {
        public static ReadWriteBuffer<T> AllocateReadWriteBuffer<T>(this GraphicsDevice device, int length, AllocationMode allocationMode = AllocationMode.Default)
            where T : unmanaged => new(device, length);

        public static UploadBuffer<T> AllocateUploadBuffer<T>(this GraphicsDevice device, int length, AllocationMode allocationMode = AllocationMode.Default)
            where T : unmanaged => new(device, length);

        public static ReadBackBuffer<T> AllocateReadBackBuffer<T>(this GraphicsDevice device, int length, AllocationMode allocationMode = AllocationMode.Default)
            where T : unmanaged => new(device, length);

        public static ComputeContext CreateComputeContext(this GraphicsDevice device) => new(device);

        // The package also asks for IComputeShaderDescriptor<T>, which its source generator writes.
        public static void For<T>(this GraphicsDevice device, int x, in T shader)
            where T : struct, IComputeShader => device.Dispatch(x, 1, 1, in shader);

        public static void For<T>(this GraphicsDevice device, int x, int y, in T shader)
            where T : struct, IComputeShader => device.Dispatch(x, y, 1, in shader);

        public static void For<T>(this GraphicsDevice device, int x, int y, int z, in T shader)
            where T : struct, IComputeShader => device.Dispatch(x, y, z, in shader);
    }

    public struct ComputeContext : IDisposable
    {
        internal ComputeContext(GraphicsDevice device) => GraphicsDevice = device;

        public readonly GraphicsDevice GraphicsDevice { get; }

        public readonly void Dispose()
        {
        }
    }

    public static class ComputeContextExtensions
    {
        public static void Clear<T>(this ref readonly ComputeContext context, ReadWriteBuffer<T> buffer)
            where T : unmanaged
        {
            context.GraphicsDevice.ThrowIfDeviceLost();
            buffer.Elements.AsSpan().Clear();
        }

        public static void Barrier<T>(this ref readonly ComputeContext context, ReadWriteBuffer<T> buffer)
            where T : unmanaged => context.GraphicsDevice.ThrowIfDeviceLost();

        public static void For<T>(this ref readonly ComputeContext context, int x, in T shader)
            where T : struct, IComputeShader => context.GraphicsDevice.Dispatch(x, 1, 1, in shader);

        public static void For<T>(this ref readonly ComputeContext context, int x, int y, in T shader)
            where T : struct, IComputeShader => context.GraphicsDevice.Dispatch(x, y, 1, in shader);

        public static void For<T>(this ref readonly ComputeContext context, int x, int y, int z, in T shader)
            where T : struct, IComputeShader => context.GraphicsDevice.Dispatch(x, y, z, in shader);
    }
}

namespace ComputeSharp.Interop
{
    public static unsafe class InteropServices
    {
        private const int NotImplemented = unchecked((int)0x80004001);

        public static int TryGetID3D12Device(GraphicsDevice device, Guid* riid, void** ppvObject)
        {
            *ppvObject = null;
            return NotImplemented;
        }

        public static int TryGetID3D12Resource<T>(Buffer<T> buffer, Guid* riid, void** ppvObject)
            where T : unmanaged
        {
            *ppvObject = null;
            return NotImplemented;
        }
    }
}
