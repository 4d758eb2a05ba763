using LfrEngine.Memory;

namespace LfrEngine.Detection;

/// <summary>A growing list of <see cref="FaceCandidate"/> in locked memory, with a fixed capacity.</summary>
/// <remarks>A detector that proposes more faces than the capacity is seeing noise; the surplus is counted and dropped.</remarks>
public sealed class CandidateList(int capacity) : IDisposable
{
    private readonly HostBuffer<FaceCandidate> storage = BufferPool.Rent<FaceCandidate>(capacity);

    /// <summary>Faces held.</summary>
    public int Count { get; private set; }

    /// <summary>Faces dropped because the list was full, since the last <see cref="Clear"/>.</summary>
    public int Dropped { get; private set; }

    /// <summary>The faces; borrowed until the list changes.</summary>
    public Span<FaceCandidate> Items => storage.Span[..Count];

    /// <summary>Appends one face, or counts it as dropped.</summary>
    public void Add(in FaceCandidate candidate)
    {
        if (Count == storage.Length)
        {
            Dropped++;
            return;
        }
        storage.Span[Count++] = candidate;
    }

    /// <summary>Keeps the first <paramref name="count"/> and wipes the rest.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        storage.Span[count..Count].Clear();
        Count = count;
    }

    /// <summary>Wipes every face held.</summary>
    public void Clear()
    {
        Truncate(0);
        Dropped = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => storage.Dispose();
}
