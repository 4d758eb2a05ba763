namespace LfrEngine.Records.Store;

/// <summary>One entry of the audit trail. Contains no biometric data.</summary>
public sealed class AuditEntry
{
    /// <summary>1, 2, 3, … without gaps.</summary>
    public long Sequence { get; set; }

    public DateTimeOffset At { get; set; }

    /// <summary>Who did it: an officer's id, or empty for the engine itself.</summary>
    public required string ActorId { get; set; }

    public required string ActorName { get; set; }

    /// <summary>What was done, for example <c>alert.raised</c>.</summary>
    public required string Action { get; set; }

    /// <summary>The object, for example <c>alert/2f0c…</c>.</summary>
    public required string Subject { get; set; }

    /// <summary>JSON object.</summary>
    public required string Details { get; set; }

    /// <summary>Hash of the entry before; 64 zeros for the first.</summary>
    public required string PreviousHash { get; set; }

    /// <summary>SHA-256 over all of the above (<see cref="Audit.AuditChain"/>).</summary>
    public required string Hash { get; set; }
}
