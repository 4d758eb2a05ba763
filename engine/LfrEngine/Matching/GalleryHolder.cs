namespace LfrEngine.Matching;

/// <summary>The gallery in force: replaced whole while searches run on the one before.</summary>
/// <remarks>Thread-safe. A replaced gallery is wiped when its last lease ends.</remarks>
public sealed class GalleryHolder : IDisposable
{
    private Gallery? current;
    private bool disposed;

    /// <summary>Puts a gallery in force and takes ownership of it; leases taken from now on are of this one.</summary>
    /// <exception cref="ObjectDisposedException">The gallery is still the caller's.</exception>
    public void Publish(Gallery gallery)
    {
        ArgumentNullException.ThrowIfNull(gallery);
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed), this);
        Interlocked.Exchange(ref current, gallery)?.Dispose();
        // Disposed meanwhile: what was just published must not outlive the holder.
        if (Volatile.Read(ref disposed))
            Withdraw();
    }

    /// <summary>Takes the gallery out of force, so that nothing can match.</summary>
    public void Withdraw() => Interlocked.Exchange(ref current, null)?.Dispose();

    /// <summary>Leases the gallery in force.</summary>
    /// <param name="lease">The caller disposes it when the result is true.</param>
    /// <returns>False when none is in force.</returns>
    public bool TryLease(out GalleryLease lease)
    {
        while (Volatile.Read(ref current) is Gallery gallery)
        {
            if (gallery.TryAcquire())
            {
                lease = new GalleryLease(gallery);
                return true;
            }
            // Replaced and wiped between the two lines: the next read sees its successor.
        }
        lease = default;
        return false;
    }

    /// <summary>Withdraws for good.</summary>
    public void Dispose()
    {
        Volatile.Write(ref disposed, true);
        Withdraw();
    }
}
