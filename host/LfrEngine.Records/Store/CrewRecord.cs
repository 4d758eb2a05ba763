namespace LfrEngine.Records.Store;

/// <summary>An officer in the crew of a deployment. A deployment without a crew is open to every officer whose role allows it.</summary>
public sealed class CrewRecord
{
    public Guid DeploymentId { get; set; }

    public Guid OfficerId { get; set; }
}
