using System.Runtime.InteropServices;
using LfrEngine.Matching;
using LfrEngine.Memory;

namespace LfrEngine.Watchlists;

/// <summary>The templates of one photo: uncovered, and with covers drawn over it. The owner disposes them, which wipes.</summary>
public sealed class PhotoTemplates : IDisposable
{
    private readonly HostBuffer<float> rows;
    private FaceCover[] covers;

    /// <summary>Allocates memory.</summary>
    /// <param name="length">D.</param>
    /// <param name="covers">The cover of each covered template; may be empty.</param>
    public PhotoTemplates(int length, IReadOnlyList<FaceCover> covers)
    {
        Length = length;
        this.covers = [.. covers];
        rows = BufferPool.Rent<float>((1 + covers.Count) * length);
    }

    /// <summary>D, elements per template.</summary>
    public int Length { get; }

    /// <summary>Number of templates, including the plain one.</summary>
    public int Count => 1 + covers.Length;

    /// <summary>What is drawn over; None for the first.</summary>
    public FaceCover Cover(int template) => template == 0 ? FaceCover.None : covers[template - 1];

    /// <summary>float32 [D] of unit length; the first is of the uncovered photo. Borrowed.</summary>
    public Span<float> this[int template] => rows.Span.Slice(template * Length, Length);

    /// <summary>float32 [Count − 1, D]: the covered ones. Borrowed.</summary>
    public Span<float> Covered => rows.Span[Length..(Count * Length)];

    /// <summary>Wipes the covered templates and keeps only the plain one.</summary>
    public void ForgetCovered()
    {
        Covered.Clear();
        covers = [];
    }

    /// <summary>Adds all to a person of a watchlist; if that fails, none.</summary>
    /// <param name="builder">Borrowed.</param>
    /// <param name="identityIndex">From <see cref="WatchlistBuilder.AddIdentity"/>.</param>
    /// <param name="quality">Of the photo.</param>
    /// <param name="chip">JPEG of the face; kept once, with the plain template. Borrowed.</param>
    public void AddTo(WatchlistBuilder builder, int identityIndex, float quality, ReadOnlySpan<byte> chip) => builder.AddPhoto(identityIndex, this, quality, chip);

    /// <summary>Bytes that <see cref="Write"/> fills.</summary>
    public int SizeBytes => (Count * Length * sizeof(float)) + covers.Length;

    /// <summary>Most bytes of the templates of one photo.</summary>
    /// <param name="length">D.</param>
    public static int MostBytes(int length) => MostTemplates * ((length * sizeof(float)) + 1);

    /// <summary>Writes the rows, then a byte for the cover of each but the first. A single plain template is only its row.</summary>
    /// <param name="destination"><see cref="SizeBytes"/> bytes. Borrowed.</param>
    public void Write(Span<byte> destination)
    {
        int bytes = Count * Length * sizeof(float);
        MemoryMarshal.AsBytes(rows.Span)[..bytes].CopyTo(destination);
        MemoryMarshal.AsBytes(covers.AsSpan()).CopyTo(destination[bytes..]);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="bytes">Borrowed.</param>
    /// <param name="length">D.</param>
    /// <returns>Owned by the caller; null if the bytes are not valid.</returns>
    public static PhotoTemplates? Read(ReadOnlySpan<byte> bytes, int length)
    {
        int row = length * sizeof(float), count = (bytes.Length + 1) / (row + 1);
        if (count is < 1 or > MostTemplates || bytes.Length != (count * row) + count - 1)
            return null;
        ReadOnlySpan<FaceCover> covers = MemoryMarshal.Cast<byte, FaceCover>(bytes[(count * row)..]);
        foreach (FaceCover cover in covers)
        {
            if (cover is FaceCover.None or > (FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow))
                return null;
        }
        var read = new PhotoTemplates(length, covers.ToArray());
        bytes[..(count * row)].CopyTo(MemoryMarshal.AsBytes(read.rows.Span));
        foreach (float value in read.rows.Span)
        {
            if (float.IsFinite(value))
                continue;
            read.Dispose();
            return null;
        }
        return read;
    }

    // More would be a fault, or an attack on the reader.
    private const int MostTemplates = 16;

    /// <inheritdoc/>
    public void Dispose() => rows.Dispose();
}
