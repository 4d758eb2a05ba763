using LfrEngine.Records.Store;

namespace LfrEngine.Links;

/// <summary>Entries of a van's trail on their way to its headquarters (docs/host-json.md). Nothing else travels.</summary>
/// <param name="Van">Its name in the headquarters' configuration.</param>
/// <param name="Entries">In order; empty to ask what is wanted.</param>
internal sealed record VanBatch(string Van, AuditEntry[] Entries)
{
    /// <summary>Header of the signature: base64 ECDSA P-256 with SHA-256 over the body, by the van's installation key.</summary>
    public const string SignatureHeader = "Lfr-Signature";

    /// <summary>Most entries at a time.</summary>
    public const int MostEntries = 500;

    /// <summary>Most bytes of a body.</summary>
    public const int MostBytes = 4 << 20;

    /// <summary>Where a van's batches go.</summary>
    public static string Path(string van) => $"/api/v1/vans/{Uri.EscapeDataString(van)}/entries";
}

/// <summary>What the headquarters answers.</summary>
/// <param name="Next">Number of the entry that it wants next.</param>
/// <param name="Problem">Why the batch was refused; null when it was taken.</param>
/// <param name="Diverged">The two trails are not the same: no later batch will be taken.</param>
internal sealed record VanAnswer(long Next, string? Problem = null, bool Diverged = false);
