using LfrEngine.Records.Alerts;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>An alert. Its pictures are sealed with a key of its own, which is destroyed when their time is up; the record stays.</summary>
public sealed class AlertRecord
{
    public Guid Id { get; set; }

    public Guid DeploymentId { get; set; }

    /// <summary>The engine's name for it: camera, tracklet, identity.</summary>
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

    /// <summary>The score in words, by the evidence at the time.</summary>
    public Likeness Likeness { get; set; }

    /// <summary>Logarithm, base 10, of the likelihood ratio by the evidence's calibration; null where it has none.</summary>
    public double? Log10LikelihoodRatio { get; set; }

    /// <summary>Whether the ratio is the most (or least) that the measurement can vouch for.</summary>
    public bool LikelihoodRatioAtBound { get; set; }

    /// <summary>People on the list that was searched; 0 without a ratio.</summary>
    public int LikelihoodListSize { get; set; }

    public AlertState State { get; set; }

    /// <summary>The alert that this sighting joined; null for one of its own.</summary>
    public Guid? JoinedAlertId { get; set; }

    /// <summary>Sealed JPEG of the face as seen; null once erased.</summary>
    public byte[]? SealedProbe { get; set; }

    /// <summary>Sealed JPEG of the watchlist's photo; null once erased.</summary>
    public byte[]? SealedReference { get; set; }

    /// <summary>Sealed JSON of what the officer needs to know of the person; null once erased.</summary>
    public byte[]? SealedPerson { get; set; }

    public DateTimeOffset EraseBy { get; set; }

    public DateTimeOffset? ErasedAt { get; set; }

    public List<AlertEvent> Events { get; } = [];
}
