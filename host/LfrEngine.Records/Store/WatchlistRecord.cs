namespace LfrEngine.Records.Store;

/// <summary>A watchlist: composed for one deployment, built, destroyed. People and photos are sealed with its key (<see cref="Security.KeyVault"/>).</summary>
public sealed class WatchlistRecord
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    /// <summary>Remarks of its manager, sealed with its key; null if there are none.</summary>
    public byte[]? SealedRemarks { get; set; }

    public WatchlistState State { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the file for deployments was built; null before.</summary>
    public DateTimeOffset? BuiltAt { get; set; }

    /// <summary>SHA-256 of the built, encrypted file.</summary>
    public string? FileSha256 { get; set; }

    /// <summary>Hash of the embedder that made its templates.</summary>
    public string? EmbedderSha256 { get; set; }

    /// <summary>People in the built file.</summary>
    public int People { get; set; }

    /// <summary>Templates in the built file.</summary>
    public int Templates { get; set; }

    /// <summary>When it must be destroyed at the latest: set at its creation, and moved forward when its deployment ends.</summary>
    public DateTimeOffset? DestroyBy { get; set; }

    public DateTimeOffset? DestroyedAt { get; set; }
}
