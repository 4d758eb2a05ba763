namespace LfrEngine.Pipeline;

/// <summary>A bounded queue between two stages. Writing an item hands over its ownership; what is dropped or left over is disposed here.</summary>
/// <typeparam name="T">Owner of memory to wipe.</typeparam>
internal sealed class Handoff<T>(int capacity, bool dropOldest)
    where T : class, IDisposable
{
    private readonly Queue<T> items = new(capacity);
    private bool completed;
    private bool abandoned;

    /// <summary>Items dropped because a newer one came before they were taken.</summary>
    public long Dropped { get; private set; }

    /// <summary>Hands over an item. Waits for room, or drops the oldest when made so.</summary>
    /// <returns>False when the taker has gone; the item has been disposed.</returns>
    public bool Put(T item)
    {
        T? stale = null;
        lock (items)
        {
            while (!abandoned && items.Count == capacity && !dropOldest)
                Monitor.Wait(items);
            if (!abandoned)
            {
                if (items.Count == capacity)
                {
                    stale = items.Dequeue();
                    Dropped++;
                }
                items.Enqueue(item);
                Monitor.PulseAll(items);
                item = null!;
            }
        }
        stale?.Dispose();
        item?.Dispose();
        return item is null;
    }

    /// <summary>Takes the oldest item and its ownership; waits for one.</summary>
    /// <returns>False when there are none and none will come.</returns>
    public bool Take([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out T? item)
    {
        lock (items)
        {
            while (items.Count == 0 && !completed && !abandoned)
                Monitor.Wait(items);
            if (!items.TryDequeue(out item))
                return false;
            Monitor.PulseAll(items);
            return true;
        }
    }

    /// <summary>The writer is done; the taker gets what is left.</summary>
    public void Complete()
    {
        lock (items)
        {
            completed = true;
            Monitor.PulseAll(items);
        }
    }

    /// <summary>The taker is gone: what is left is disposed, and so is whatever is put in later.</summary>
    public void Abandon()
    {
        lock (items)
        {
            abandoned = true;
            while (items.TryDequeue(out T? item))
                item.Dispose();
            Monitor.PulseAll(items);
        }
    }
}
