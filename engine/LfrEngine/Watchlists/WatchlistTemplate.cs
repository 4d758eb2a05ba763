using System.Runtime.InteropServices;
using LfrEngine.Matching;

namespace LfrEngine.Watchlists;

/// <summary>What a watchlist stores with each embedding. 20 bytes, also its form in the file; format 1 had the first 16.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct WatchlistTemplate
{
    public int IdentityIndex;
    public float Quality;

    /// <summary>First byte in the photo table; each photo begins where the one before ends.</summary>
    public int PhotoOffset;

    public int PhotoBytes;

    // As wide as the other fields: without gaps the struct has the same bytes in memory and in the file.
    private int cover;

    /// <summary>The cover drawn over the photo of the template; None for an uncovered photo.</summary>
    public FaceCover Cover
    {
        readonly get => (FaceCover)cover;
        set => cover = (int)value;
    }

    /// <summary>False for values that are not a cover.</summary>
    public readonly bool HasKnownCover => (uint)cover <= (uint)(FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow);
}
