using LfrEngine.Records.Alerts;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>An alert. Its pictures are encrypted with a separate key, which is destroyed when their time is up; the record is kept.</summary>
public sealed class AlertRecord
{
    public Guid Id { get; set; }

    public Guid DeploymentId { get; set; }

    /// <summary>The engine's id: camera, tracklet, identity.</summary>
    public required string EngineId { get; set; }

    public Guid PersonId { get; set; }

    public WatchlistCategory Category { get; set; }

    public bool RolePlayer { get; set; }

    public required string Camera { get; set; }

    public float Score { get; set; }

    public float Threshold { get; set; }

    public int AgreeingShots { get; set; }

    public int ComparedShots { get; set; }

    /// <summary>Quality of the best shot, 0…1.</summary>
    public float Quality { get; set; }

    public DateTimeOffset CapturedAt { get; set; }

    public DateTimeOffset RaisedAt { get; set; }

    /// <summary>The score in words, from the evidence at the time.</summary>
    public Likeness Likeness { get; set; }

    /// <summary>Logarithm, base 10, of the likelihood ratio from the evidence's calibration; null if it has none.</summary>
    public double? Log10LikelihoodRatio { get; set; }

    /// <summary>Whether the ratio is at the limit of what the measurement can show.</summary>
    public bool LikelihoodRatioAtBound { get; set; }

    /// <summary>People on the list that was searched; 0 without a ratio.</summary>
    public int LikelihoodListSize { get; set; }

    public AlertState State { get; set; }

    /// <summary>The alert that this sighting joined; null if it is an alert itself.</summary>
    public Guid? JoinedAlertId { get; set; }

    /// <summary>Sealed JPEG of the face as seen; null once erased.</summary>
    public byte[]? SealedProbe { get; set; }

    /// <summary>Sealed JPEG of the person with body and clothes, everybody else pixelated; null once erased, and in alerts of earlier versions.</summary>
    public byte[]? SealedMoment { get; set; }

    /// <summary>Sealed JPEG of the watchlist's photo; null once erased.</summary>
    public byte[]? SealedReference { get; set; }

    /// <summary>Encrypted JSON of what the officer needs to know about the person; null once erased.</summary>
    public byte[]? SealedPerson { get; set; }

    public DateTimeOffset EraseBy { get; set; }

    public DateTimeOffset? ErasedAt { get; set; }

    public List<AlertEvent> Events { get; } = [];
}
