using LfrEngine.Memory;

namespace LfrEngine.Matching;

/// <summary>The embeddings of a batch and their lengths before normalisation. Made on a device they stay there, and come to host memory when somebody asks. One holder; that holder wipes them.</summary>
/// <param name="most">Embeddings in a batch, at the most.</param>
/// <param name="length">Elements of an embedding.</param>
internal sealed class Probes(int most, int length) : IDisposable
{
    private readonly HostBuffer<float> rows = BufferPool.Rent<float>(most * length);
    private readonly HostBuffer<float> norms = BufferPool.Rent<float>(most);
    private int count;

    /// <summary>Embeddings in a batch, at the most.</summary>
    public int Most => most;

    /// <summary>Elements of an embedding.</summary>
    public int Length => length;

    /// <summary>Memory on a device, kept from batch to batch. Owned.</summary>
    public IDeviceProbes? Device { get; set; }

    /// <summary>Whether this batch lies on the device only.</summary>
    public bool IsOnDevice { get; set; }

    /// <summary>Length of each embedding before it was normalised.</summary>
    public Span<float> Norms => norms.Span[..count];

    /// <summary>Where a plan on the processor puts the embeddings.</summary>
    public Span<float> HostRows => rows.Span[..(count * length)];

    /// <summary>float32 [probes, length], unit length; brought to host memory if they lie on a device. Borrowed.</summary>
    public ReadOnlySpan<float> Rows
    {
        get
        {
            if (IsOnDevice)
                Device!.Read(0, HostRows);
            IsOnDevice = false;
            return HostRows;
        }
    }

    /// <summary>Makes room for a batch.</summary>
    public void Begin(int probes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probes, most);
        (count, IsOnDevice) = (probes, false);
    }

    /// <summary>Wipes the batch.</summary>
    public void Wipe()
    {
        Device?.Wipe();
        rows.Wipe();
        norms.Wipe();
        (count, IsOnDevice) = (0, false);
    }

    public void Dispose()
    {
        Device?.Dispose();
        rows.Dispose();
        norms.Dispose();
    }
}

/// <summary>Embeddings on a device. Disposing clears them there.</summary>
internal interface IDeviceProbes : IDisposable
{
    /// <summary>Reads embeddings back; zeros if the device was lost.</summary>
    /// <param name="first">Index of the first.</param>
    /// <param name="rows">float32; whole embeddings. Borrowed.</param>
    void Read(int first, Span<float> rows);

    /// <summary>Clears them.</summary>
    void Wipe();
}
