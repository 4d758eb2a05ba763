namespace LfrEngine.Records.Store;

/// <summary>The installation's signature over the chain up to one entry.</summary>
public sealed class AuditSeal
{
    /// <summary>Last entry it covers.</summary>
    public long Sequence { get; set; }

    public DateTimeOffset At { get; set; }

    /// <summary>That entry's hash.</summary>
    public required string Hash { get; set; }

    /// <summary>Base64 ECDSA P-256 over the UTF-8 of sequence, colon, hash.</summary>
    public required string Signature { get; set; }
}
