using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Deployments;

/// <summary>A deployment that runs: its run, its authority, and how its cameras are doing.</summary>
/// <param name="run">Its run, which the runner disposes.</param>
/// <param name="authority">As signed.</param>
/// <param name="watch">Of its cameras.</param>
/// <param name="facesBefore">Faces seen in its earlier runs.</param>
/// <param name="secondsBefore">Seconds of its earlier runs.</param>
/// <param name="time">The clock.</param>
internal sealed class RunningDeployment(EngineRun run, Authority authority, CameraWatch watch, long facesBefore, double secondsBefore, TimeProvider time)
{
    private volatile IReadOnlyList<CameraHealth> health = [];

    /// <summary>The deployment's.</summary>
    public Guid Id => run.Deployment;

    public EngineRun Run => run;

    public Authority Authority => authority;

    public CameraWatch Watch => watch;

    /// <summary>UTC, of this run.</summary>
    public DateTimeOffset StartedAt { get; } = time.GetUtcNow();

    /// <summary>When its counts were last stored.</summary>
    public long StoredAt { get; set; } = time.GetTimestamp();

    /// <summary>How its cameras are doing, as of the last second.</summary>
    public IReadOnlyList<CameraHealth> Health
    {
        get => health;
        set => health = value;
    }

    /// <summary>Faces seen so far, over all its runs.</summary>
    public long FacesSeen => facesBefore + run.FacesSeen;

    /// <summary>Puts what it has counted into its record.</summary>
    public void Count(DeploymentRecord record)
    {
        record.FacesSeen = FacesSeen;
        record.RunningSeconds = secondsBefore + run.Elapsed.TotalSeconds;
    }
}
