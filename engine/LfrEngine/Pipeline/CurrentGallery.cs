using LfrEngine.Matching;

namespace LfrEngine.Pipeline;

/// <summary>The gallery that a run searches; another can take its place while it runs. Thread-safe.</summary>
/// <param name="first">Kept from being wiped until another takes its place or this is disposed.</param>
internal sealed class CurrentGallery(Gallery first) : IDisposable
{
    private readonly Lock gate = new();
    private Gallery current = first.Acquire();

    /// <summary>The newest. Its tables may be read; its rows only under a lease.</summary>
    public Gallery Newest => Volatile.Read(ref current);

    /// <summary>The newest, for a search.</summary>
    public GalleryLease Lease()
    {
        lock (gate)
            return current.Lease();
    }

    /// <summary>Puts another in its place; searches under way end with the former, which is wiped after them if nobody else keeps it.</summary>
    public void Swap(Gallery next)
    {
        next.Acquire();
        Gallery former;
        lock (gate)
            (former, current) = (current, next);
        former.Release();
    }

    public void Dispose() => current.Release();
}
