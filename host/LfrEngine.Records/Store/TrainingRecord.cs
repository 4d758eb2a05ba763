namespace LfrEngine.Records.Store;

/// <summary>A training that an officer has completed, as an administrator recorded it.</summary>
public sealed class TrainingRecord
{
    public Guid Id { get; set; }

    public Guid OfficerId { get; set; }

    /// <summary>The role that it was for.</summary>
    public required string Role { get; set; }

    public DateOnly CompletedOn { get; set; }
}
