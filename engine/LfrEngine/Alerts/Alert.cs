using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Quality;
using LfrEngine.Watchlists;

namespace LfrEngine.Alerts;

/// <summary>A tracklet that matched an identity, for a trained officer to judge. The owner disposes it, which wipes the probe picture.</summary>
public sealed class Alert : IDisposable
{
    /// <summary>Run, camera, tracklet and identity, so it is unique across runs. Without the run part it is the same each time the same file is run.</summary>
    public required string Id { get; init; }

    /// <summary>The run that raised it.</summary>
    public required string Run { get; init; }

    /// <summary>Camera name.</summary>
    public required string Camera { get; init; }

    /// <summary>Tracklet on that camera.</summary>
    public required long TrackletId { get; init; }

    /// <summary>The matched identity.</summary>
    public required WatchlistIdentity Identity { get; init; }

    /// <summary>Row of the gallery that scored best.</summary>
    public required int TemplateIndex { get; init; }

    /// <summary>Best comparison score, −1…1.</summary>
    public required float Score { get; init; }

    /// <summary>Threshold of the identity's category, inclusive.</summary>
    public required float Threshold { get; init; }

    /// <summary>Shots that reached the threshold when the alert was raised.</summary>
    public required int AgreeingShots { get; init; }

    /// <summary>Shots of the tracklet compared so far.</summary>
    public required int ComparedShots { get; init; }

    /// <summary>Face in the best shot, frame pixels.</summary>
    public required FaceBox Box { get; init; }

    /// <summary>Quality of the best shot.</summary>
    public required FaceQuality Quality { get; init; }

    /// <summary>Which parts of the face are covered in the best shot.</summary>
    public CoverJudgement Cover { get; init; }

    /// <summary>Whether the face was compared with covered templates. False if nothing was covered, or if the list has no such templates or the embedder no scale for them.</summary>
    public bool ByCoveredTemplates { get; init; }

    /// <summary>Stream time at which the tracklet began, microseconds.</summary>
    public required long FirstSeenUs { get; init; }

    /// <summary>Stream time of the best shot, microseconds.</summary>
    public required long BestShotUs { get; init; }

    /// <summary>Stream time of the shot that completed the evidence, microseconds.</summary>
    public required long CompletedUs { get; init; }

    /// <summary>Wall clock when the completing frame's pixels arrived.</summary>
    public required DateTimeOffset CapturedAt { get; init; }

    /// <summary>Wall clock when the alert was raised.</summary>
    public required DateTimeOffset RaisedAt { get; init; }

    /// <summary>The face as seen, hair and chin included; what is around it is pixelated. Owned by the alert.</summary>
    public required Picture Probe { get; init; }

    /// <summary>The alert that this passage joined because the identity was seen shortly before; null for a separate alert.</summary>
    public string? JoinedAlertId { get; internal set; }

    /// <inheritdoc/>
    public void Dispose() => Probe.Dispose();
}
