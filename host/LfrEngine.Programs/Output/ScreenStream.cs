namespace LfrEngine.Programs;

/// <summary>Standard output or error: what cannot be shown is left out, and nobody who shows something need expect a failure.</summary>
/// <remarks>Later lines are tried again: a disk may have room again. They begin on a line of their own.</remarks>
/// <param name="inner">Where it goes; null when the program was started without.</param>
/// <param name="lost">Told why, each time something was left out.</param>
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
        // Nothing waits here.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
