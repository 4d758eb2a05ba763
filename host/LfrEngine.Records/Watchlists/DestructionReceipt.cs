using System.Text.Json;
using LfrEngine.Records.Receipts;

namespace LfrEngine.Records.Watchlists;

/// <summary>Signed statement that a watchlist was destroyed, and what it was.</summary>
/// <remarks>The file is <c>{"destruction": {…}, "publicKey": "PEM", "signature": "base64"}</c>, see <see cref="SignedDocument"/>.</remarks>
/// <param name="FormatVersion">1.</param>
/// <param name="WatchlistId">Which.</param>
/// <param name="Name">Name of the watchlist; contains no person's name.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="BuiltAt">When it was built; null if never.</param>
/// <param name="FileSha256">Hash of the built file; null if never built.</param>
/// <param name="People">Entries removed.</param>
/// <param name="Photos">Photos removed, with their templates.</param>
/// <param name="DestroyedAt">When its key was overwritten and removed.</param>
/// <param name="DestroyedBy">Who did it.</param>
/// <param name="Reason">Why.</param>
internal sealed record DestructionReceipt(int FormatVersion, Guid WatchlistId, string Name, DateTimeOffset CreatedAt, DateTimeOffset? BuiltAt, string? FileSha256, int People, int Photos,
    DateTimeOffset DestroyedAt, string DestroyedBy, string Reason)
{
    public const int CurrentFormat = 1;

    private static readonly SignedKind Kind = new("destruction", "erasure receipt of a watchlist", "Check the data folder.");

    /// <summary>Whether a file is of this kind, regardless of the signer.</summary>
    public static bool IsOne(string path) => SignedDocument.Is(path, Kind);

    /// <summary>Signs the receipt and writes it atomically.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public void Write(string path, InstallationKey key) => SignedDocument.Write(path, Kind, JsonSerializer.Serialize(this, ReceiptJson.Lines.DestructionReceipt), key);

    /// <summary>Reads a receipt and checks its signature.</summary>
    /// <exception cref="CommandFailure">It is damaged, altered, or signed by another key.</exception>
    public static DestructionReceipt Verify(string path, string trustedPem) => SignedDocument.Read(path, Kind, trustedPem, ReceiptJson.Lines.DestructionReceipt);
}
