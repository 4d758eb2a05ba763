namespace LfrEngine.Records.Store;

/// <summary>A pending message: written in the transaction that caused it, removed when it has been delivered.</summary>
public sealed class OutboxMessage
{
    public long Id { get; set; }

    /// <summary>The same at every attempt, so that a receiver can detect repetitions.</summary>
    public Guid MessageId { get; set; }

    /// <summary><c>mqtt</c> or <c>webhook:NAME</c>.</summary>
    public required string Channel { get; set; }

    /// <summary>The audit entry's action.</summary>
    public required string Action { get; set; }

    /// <summary>JSON.</summary>
    public required string Payload { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public int Attempts { get; set; }

    public string? LastError { get; set; }
}
