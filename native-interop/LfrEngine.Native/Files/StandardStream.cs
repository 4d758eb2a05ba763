using System.Runtime.Versioning;

namespace LfrEngine.Native.Files;

/// <summary>Standard output or error of the process, on Linux. Reports failed writes, including a closed reader.</summary>
/// <remarks>
/// The runtime's stream ignores a broken pipe, and for a stream that was closed at the start of the program it writes into a descriptor that the
/// runtime has opened for itself.
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed class StandardStream : Stream
{
    private readonly int descriptor;

    private StandardStream(int descriptor) => this.descriptor = descriptor;

    /// <summary>Standard output or error as inherited by the process.</summary>
    /// <param name="descriptor">1 or 2.</param>
    /// <returns>Null if it was closed.</returns>
    public static StandardStream? Open(int descriptor) => UnixFiles.WasGiven(descriptor) ? new StandardStream(descriptor) : null;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer) => UnixFiles.Write(descriptor, buffer);

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is buffered here.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
