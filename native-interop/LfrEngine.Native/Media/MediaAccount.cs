namespace LfrEngine.Native.Media;

/// <summary>Counts what the readers opened with it hold and wipe, so that a run can tell its own frames from those of others in the process.</summary>
/// <remarks>Any thread. Readers and frames may outlive it; while it is open they are counted also when their reader is closed.</remarks>
public sealed class MediaAccount : IDisposable
{
    internal MediaAccountHandle Handle { get; } = MediaAccountHandle.Open();

    /// <summary>The counters as they stand.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    public MediaStatistics Read() => MediaStatistics.Read(Handle);

    /// <inheritdoc/>
    public void Dispose() => Handle.Dispose();
}
