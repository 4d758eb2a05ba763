namespace LfrEngine.Programs;

/// <summary>Standard output or error: text that cannot be written is dropped, and writing never throws.</summary>
/// <remarks>Later lines are tried again, because a disk may have space again. They begin on a new line.</remarks>
/// <param name="inner">The target; null if the program was started without one.</param>
/// <param name="lost">Called with the reason each time something was dropped.</param>
internal sealed class ScreenStream(Stream? inner, Action<string> lost) : Stream
{
    private bool endsInMidLine;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (inner is null)
        {
            lost("it was closed when the program started.");
            return;
        }
        try
        {
            if (endsInMidLine)
                inner.Write("\n"u8);
            inner.Write(buffer);
            endsInMidLine = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            endsInMidLine = true;
            lost(e.Message);
        }
    }

    public override void Flush()
    {
        // Nothing is buffered here.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
