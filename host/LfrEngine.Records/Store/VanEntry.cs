namespace LfrEngine.Records.Store;

/// <summary>An audit entry of a van, as received by its headquarters, exactly once.</summary>
public sealed class VanEntry
{
    /// <summary>Name in the configuration.</summary>
    public required string Van { get; set; }

    public long Sequence { get; set; }

    public DateTimeOffset At { get; set; }

    public DateTimeOffset ReceivedAt { get; set; }

    public required string ActorId { get; set; }

    public required string ActorName { get; set; }

    public required string Action { get; set; }

    public required string Subject { get; set; }

    public required string Details { get; set; }

    public required string PreviousHash { get; set; }

    public required string Hash { get; set; }

    /// <summary>The entry, as the van wrote it.</summary>
    public AuditEntry ToEntry() => new()
    {
        Sequence = Sequence,
        At = At,
        ActorId = ActorId,
        ActorName = ActorName,
        Action = Action,
        Subject = Subject,
        Details = Details,
        PreviousHash = PreviousHash,
        Hash = Hash,
    };
}
