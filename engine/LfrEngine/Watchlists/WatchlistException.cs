namespace LfrEngine.Watchlists;

/// <summary>Why a watchlist, its file or its key could not be used.</summary>
public enum WatchlistFailure
{
    /// <summary>The file does not begin like a watchlist.</summary>
    NotAWatchlist,

    /// <summary>Written in a format this engine does not read.</summary>
    UnsupportedVersion,

    /// <summary>Truncated, appended to or altered: its checksum is wrong.</summary>
    Damaged,

    /// <summary>The file is intact, but the passphrase or key file is not the one it was encrypted with.</summary>
    WrongKey,

    /// <summary>Its templates were made by another embedder.</summary>
    ForeignModel,

    /// <summary>The operating system did not let the file be read.</summary>
    Unreadable,

    /// <summary>The disk or quota is full.</summary>
    DiskFull,

    /// <summary>The operating system did not let the file be written.</summary>
    WriteFailed,

    /// <summary>The content breaks a rule of watchlists, such as two identities with one id.</summary>
    InvalidContent,

    /// <summary>The key file is not valid.</summary>
    UnusableKeyFile,
}

/// <summary>A watchlist, its file or its key cannot be used; the message names the file and says what to do.</summary>
public sealed class WatchlistException : Exception
{
    /// <summary>Creates the exception.</summary>
    public WatchlistException(WatchlistFailure reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>What went wrong.</summary>
    public WatchlistFailure Reason { get; }
}
