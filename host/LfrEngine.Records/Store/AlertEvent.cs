namespace LfrEngine.Records.Store;

/// <summary>A decision about an alert. Never changed, never removed.</summary>
public sealed class AlertEvent
{
    public long Id { get; set; }

    public Guid AlertId { get; set; }

    public DateTimeOffset At { get; set; }

    public Guid OfficerId { get; set; }

    public required string OfficerName { get; set; }

    public AlertState From { get; set; }

    public AlertState To { get; set; }

    /// <summary>The entry that this one undoes; null if none.</summary>
    public long? UndoesId { get; set; }

    public required string Note { get; set; }
}
