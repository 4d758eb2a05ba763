namespace LfrEngine.Records.Store;

/// <summary>States of a watchlist.</summary>
public enum WatchlistState
{
    /// <summary>People can be added and removed.</summary>
    Draft,

    /// <summary>Built; it cannot be changed any more.</summary>
    Built,

    /// <summary>Its key is destroyed, so nothing in it can be read.</summary>
    Destroyed,
}
