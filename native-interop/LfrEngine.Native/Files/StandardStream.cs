using System.Runtime.Versioning;

namespace LfrEngine.Native.Files;

/// <summary>Standard output or error of the process, on Linux: says what cannot be written, a reader that has gone included.</summary>
/// <remarks>
/// The runtime's own stream is silent about a broken pipe, and of a stream that was closed when the program began it writes into a descriptor that the
/// runtime has meanwhile opened for itself.
/// </remarks>
[SupportedOSPlatform("linux")]
public sealed class StandardStream : Stream
{
    private readonly int descriptor;

    private StandardStream(int descriptor) => this.descriptor = descriptor;

    /// <summary>Standard output or error as the process was given it.</summary>
    /// <param name="descriptor">1 or 2.</param>
    /// <returns>Null when it was closed.</returns>
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
        // Nothing waits here.
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
