// Stand-in for ComputeSharp 3.2.0, checked against src/ComputeSharp/Graphics/Resources/**/*Buffer{T}.cs and Graphics/Extensions/*BufferExtensions.cs.
// Indexers throw where the package's would read zero or write nowhere: outside the buffer.
using ComputeSharp.Resources;

namespace ComputeSharp.Resources
{
    public abstract class Buffer<T> : IDisposable
        where T : unmanaged
    {
        private bool disposed;

        private protected Buffer(GraphicsDevice device, int length)
        {
            device.ThrowIfDeviceLost();
            GraphicsDevice = device;
            Elements = new T[length];
            GraphicsDevice.LiveBuffers++;
        }

        public GraphicsDevice GraphicsDevice { get; }

        public int Length => Elements.Length;

        internal T[] Elements { get; }

        public void Dispose()
        {
            if (!disposed)
                GraphicsDevice.LiveBuffers--;
            disposed = true;
        }

        private protected T[] Usable()
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            GraphicsDevice.ThrowIfDeviceLost();
            return Elements;
        }

        internal void CopyElementsTo(Buffer<T> destination, int sourceOffset, int destinationOffset, int count) =>
            Usable().AsSpan(sourceOffset, count).CopyTo(destination.Usable().AsSpan(destinationOffset, count));
    }

    public abstract class StructuredBuffer<T> : Buffer<T>
        where T : unmanaged
    {
        private protected StructuredBuffer(GraphicsDevice device, int length)
            : base(device, length)
        {
        }
    }

    // In the package a class of its own, beside Buffer<T>.
    public abstract class TransferBuffer<T> : Buffer<T>
        where T : unmanaged
    {
        private protected TransferBuffer(GraphicsDevice device, int length)
            : base(device, length)
        {
        }

        public Span<T> Span => Elements;
    }
}

namespace ComputeSharp
{
    public sealed class ReadWriteBuffer<T> : StructuredBuffer<T>
        where T : unmanaged
    {
        internal ReadWriteBuffer(GraphicsDevice device, int length)
            : base(device, length)
        {
        }

        public ref T this[int i] => ref Usable()[i];
    }

    public sealed class UploadBuffer<T> : TransferBuffer<T>
        where T : unmanaged
    {
        internal UploadBuffer(GraphicsDevice device, int length)
            : base(device, length)
        {
        }
    }

    public sealed class ReadBackBuffer<T> : TransferBuffer<T>
        where T : unmanaged
    {
        internal ReadBackBuffer(GraphicsDevice device, int length)
            : base(device, length)
        {
        }
    }

    public static class UploadBufferExtensions
    {
        public static void CopyTo<T>(this UploadBuffer<T> source, StructuredBuffer<T> destination)
            where T : unmanaged => source.CopyElementsTo(destination, 0, 0, source.Length);

        public static void CopyTo<T>(this UploadBuffer<T> source, StructuredBuffer<T> destination, int sourceOffset, int destinationOffset, int count)
            where T : unmanaged => source.CopyElementsTo(destination, sourceOffset, destinationOffset, count);
    }

    public static class StructuredBufferExtensions
    {
        public static void CopyTo<T>(this StructuredBuffer<T> source, ReadBackBuffer<T> destination)
            where T : unmanaged => source.CopyElementsTo(destination, 0, 0, source.Length);

        public static void CopyTo<T>(this StructuredBuffer<T> source, ReadBackBuffer<T> destination, int sourceOffset, int destinationOffset, int count)
            where T : unmanaged => source.CopyElementsTo(destination, sourceOffset, destinationOffset, count);
    }
}
