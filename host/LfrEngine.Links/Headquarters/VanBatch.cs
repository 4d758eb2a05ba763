using LfrEngine.Records.Store;

namespace LfrEngine.Links.Headquarters;

/// <summary>Entries of a van's trail, as sent to its headquarters (docs/host-json.md). Nothing else is sent.</summary>
/// <param name="Van">Its name in the headquarters' configuration.</param>
/// <param name="Entries">In order; empty to ask for the next number.</param>
internal sealed record VanBatch(string Van, AuditEntry[] Entries)
{
    /// <summary>Header of the signature: base64 ECDSA P-256 with SHA-256 over the body, by the van's installation key.</summary>
    public const string SignatureHeader = "Lfr-Signature";

    public const int MostEntries = 500;

    /// <summary>Maximum size of a body, bytes.</summary>
    public const int MostBytes = 4 << 20;

    public static string Path(string van) => $"/api/v1/vans/{Uri.EscapeDataString(van)}/entries";
}

/// <summary>The headquarters' answer.</summary>
/// <param name="Next">Number of the expected next entry.</param>
/// <param name="Problem">Why the batch was refused; null if it was accepted.</param>
/// <param name="Diverged">The two trails differ: no later batch will be accepted.</param>
internal sealed record VanAnswer(long Next, string? Problem = null, bool Diverged = false);
