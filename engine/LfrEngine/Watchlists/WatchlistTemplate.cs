using System.Runtime.InteropServices;

namespace LfrEngine.Watchlists;

/// <summary>What a watchlist keeps beside each embedding. 16 bytes, also its form in the file.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct WatchlistTemplate
{
    public int IdentityIndex;
    public float Quality;

    /// <summary>First byte in the photo table; each photo begins where the one before ends.</summary>
    public int PhotoOffset;

    public int PhotoBytes;
}
