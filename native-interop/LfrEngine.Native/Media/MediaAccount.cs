namespace LfrEngine.Native.Media;

/// <summary>Counts what its readers hold and wipe, so that a run's frames are counted separately from others in the process.</summary>
/// <remarks>Any thread. Readers and frames may outlive it; while it is open, frames are counted even after their reader is closed.</remarks>
public sealed class MediaAccount : IDisposable
{
    internal MediaAccountHandle Handle { get; } = MediaAccountHandle.Open();

    /// <summary>The current counters.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public MediaStatistics Read() => MediaStatistics.Read(Handle);

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();
}
