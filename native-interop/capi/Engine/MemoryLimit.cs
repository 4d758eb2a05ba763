using LfrEngine.CApi.Interop;
using LfrEngine.Native.Memory;

namespace LfrEngine.CApi.Engine;

/// <summary>An engine's <c>max_memory_bytes</c>. The memory is the process': of several limits the smallest counts.</summary>
internal sealed class MemoryLimit : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly List<long> Limits = [];

    private readonly long most;

    /// <param name="most">0: no limit.</param>
    /// <exception cref="StatusException">More is held already.</exception>
    public MemoryLimit(long most)
    {
        this.most = most;
        if (most == 0)
            return;
        BufferPool.Trim();
        if (MemoryBudget.HeldBytes > most)
            throw new StatusException(Status.OutOfMemory, $"The limit of {most} bytes is below the memory that is held already, {MemoryBudget.HeldBytes} bytes.");
        Change(() => Limits.Add(most));
    }

    public void Dispose()
    {
        if (most > 0)
            Change(() => Limits.Remove(most));
    }

    private static void Change(Action change)
    {
        lock (Gate)
        {
            change();
            MemoryBudget.MostBytes = Limits.Count == 0 ? 0 : Limits.Min();
        }
    }
}
