namespace LfrEngine.Records.Store;

/// <summary>States of a watchlist.</summary>
public enum WatchlistState
{
    /// <summary>People are added and removed.</summary>
    Draft,

    /// <summary>Built; nothing changes any more.</summary>
    Built,

    /// <summary>Its key is destroyed: nothing of it can be read.</summary>
    Destroyed,
}
