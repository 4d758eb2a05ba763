namespace LfrEngine.Watchlists;

/// <summary>Why a watchlist, its file or its key could not be used.</summary>
public enum WatchlistFailure
{
    /// <summary>The file does not begin like a watchlist.</summary>
    NotAWatchlist,

    /// <summary>Written in a format this engine does not read.</summary>
    UnsupportedVersion,

    /// <summary>Cut short, appended to or altered: its checksum does not hold.</summary>
    Damaged,

    /// <summary>The file is whole; the passphrase or key file is not the one it was sealed with.</summary>
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

    /// <summary>The key file cannot be used as one.</summary>
    UnusableKeyFile,
}

/// <summary>A watchlist, its file or its key cannot be used; the message names the file and the way out.</summary>
public sealed class WatchlistException : Exception
{
    /// <summary>Creates the exception.</summary>
    public WatchlistException(WatchlistFailure reason, string message, Exception? innerException = null)
        : base(message, innerException) => Reason = reason;

    /// <summary>What went wrong.</summary>
    public WatchlistFailure Reason { get; }
}
