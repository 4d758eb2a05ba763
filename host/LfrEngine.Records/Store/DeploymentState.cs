namespace LfrEngine.Records.Store;

/// <summary>States of a deployment.</summary>
public enum DeploymentState
{
    Draft,
    Signed,
    Running,
    Paused,
    Ended,
    Withdrawn,
}
