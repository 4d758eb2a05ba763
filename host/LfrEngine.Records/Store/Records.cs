using System.Text.Json.Serialization;
using LfrEngine.Records.Alerts;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>A watchlist: composed for one deployment, built, destroyed. People and photos are sealed with its key (<see cref="Security.KeyVault"/>).</summary>
public sealed class WatchlistRecord
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    public WatchlistState State { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the file was built that deployments search; null before.</summary>
    public DateTimeOffset? BuiltAt { get; set; }

    /// <summary>SHA-256 of the built, encrypted file.</summary>
    public string? FileSha256 { get; set; }

    /// <summary>Hash of the embedder that made its templates.</summary>
    public string? EmbedderSha256 { get; set; }

    /// <summary>People in the built file.</summary>
    public int People { get; set; }

    /// <summary>Templates in the built file.</summary>
    public int Templates { get; set; }

    /// <summary>By when it must be destroyed: set when it is begun, and earlier when its deployment ends.</summary>
    public DateTimeOffset? DestroyBy { get; set; }

    public DateTimeOffset? DestroyedAt { get; set; }
}

/// <summary>States of a watchlist.</summary>
public enum WatchlistState
{
    /// <summary>People are added and removed.</summary>
    Draft,

    /// <summary>Built; nothing changes any more.</summary>
    Built,

    /// <summary>Its key is destroyed: nothing of it can be read.</summary>
    Destroyed,
}

/// <summary>A person on a watchlist. Everything that names the person is sealed; what is counted is not.</summary>
public sealed class PersonRecord
{
    public Guid Id { get; set; }

    public Guid WatchlistId { get; set; }

    public WatchlistCategory Category { get; set; }

    /// <summary>Sealed JSON of <c>PersonDetails</c>: name, reference, legal basis, image source.</summary>
    public required byte[] Sealed { get; set; }

    /// <summary>When the entry was last reviewed.</summary>
    public DateOnly ReviewedOn { get; set; }

    /// <summary>A consenting role-player of the health check in the field, not a person sought.</summary>
    public bool RolePlayer { get; set; }

    public DateTimeOffset AddedAt { get; set; }

    public List<PhotoRecord> Photos { get; } = [];
}

/// <summary>A photo of a person, as it was vetted: cut to the face, encoded anew, sealed.</summary>
public sealed class PhotoRecord
{
    public Guid Id { get; set; }

    public Guid PersonId { get; set; }

    /// <summary>Sealed JPEG of the face with its surroundings, 256×256; empty when the photo was rejected.</summary>
    public required byte[] SealedPicture { get; set; }

    /// <summary>Sealed templates (<see cref="PhotoTemplates.Write"/>); empty when the photo was rejected.</summary>
    public required byte[] SealedTemplate { get; set; }

    /// <summary>Hash of the embedder that made the templates.</summary>
    public required string EmbedderSha256 { get; set; }

    public DateOnly? TakenOn { get; set; }

    public PhotoVerdict Verdict { get; set; }

    /// <summary>Reasons of the verdict, separated by semicolons.</summary>
    public required string Reasons { get; set; }

    /// <summary>0…1.</summary>
    public float Quality { get; set; }
}

/// <summary>A deployment: drafted, signed, armed, ended.</summary>
public sealed class DeploymentRecord
{
    public Guid Id { get; set; }

    public required string Name { get; set; }

    public DeploymentState State { get; set; }

    public Guid WatchlistId { get; set; }

    /// <summary>JSON of the authority (<c>Authority</c>), exactly as it is or will be signed.</summary>
    public required string AuthorityText { get; set; }

    public Guid DraftedBy { get; set; }

    public DateTimeOffset DraftedAt { get; set; }

    public Guid? SignedBy { get; set; }

    public DateTimeOffset? SignedAt { get; set; }

    /// <summary>Base64 ECDSA P-256 signature of the authorising officer over the UTF-8 of <see cref="AuthorityText"/>.</summary>
    public string? Signature { get; set; }

    /// <summary>PEM of the key that signed.</summary>
    public string? SignerPublicKey { get; set; }

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Why it ended, paused or was refused last, in words.</summary>
    public string? StateReason { get; set; }

    /// <summary>Tracklets good enough to be compared, over all runs of the deployment.</summary>
    public long FacesSeen { get; set; }

    /// <summary>The same, of role-players' walks only as far as they raised alerts.</summary>
    public int RolePlayerPassages { get; set; }

    /// <summary>Seconds in which the engine ran.</summary>
    public double RunningSeconds { get; set; }
}

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

/// <summary>A role-player of the health check in the field walking past once, as an officer recorded it.</summary>
public sealed class WalkRecord
{
    public Guid Id { get; set; }

    public Guid DeploymentId { get; set; }

    /// <summary>The role-player.</summary>
    public Guid PersonId { get; set; }

    public WatchlistCategory Category { get; set; }

    public Guid OfficerId { get; set; }

    public DateTimeOffset StartedAt { get; set; }

    /// <summary>Null while it lasts.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Why it does not count; null when it does.</summary>
    public string? Void { get; set; }
}

/// <summary>States of an alert. Each is reached by an entry (<see cref="AlertEvent"/>), also the way back.</summary>
[JsonConverter(typeof(CamelCaseNames<AlertState>))]
public enum AlertState
{
    Raised,
    Viable,
    Rejected,
    Engaged,
    Confirmed,
    Incorrect,
    Arrest,
    OtherDisposal,
    Safeguarded,
    NoAction,
}

/// <summary>What somebody decided about an alert. Never changed, never removed.</summary>
public sealed class AlertEvent
{
    public long Id { get; set; }

    public Guid AlertId { get; set; }

    public DateTimeOffset At { get; set; }

    public Guid OfficerId { get; set; }

    public required string OfficerName { get; set; }

    public AlertState From { get; set; }

    public AlertState To { get; set; }

    /// <summary>The entry that this one takes back; null when it takes back none.</summary>
    public long? UndoesId { get; set; }

    public required string Note { get; set; }
}

/// <summary>One link of the audit trail. Holds no biometrics.</summary>
public sealed class AuditEntry
{
    /// <summary>1, 2, 3, …: without gaps.</summary>
    public long Sequence { get; set; }

    public DateTimeOffset At { get; set; }

    /// <summary>Who did it: an officer's id, or empty for the engine itself.</summary>
    public required string ActorId { get; set; }

    public required string ActorName { get; set; }

    /// <summary>What was done, for example <c>alert.raised</c>.</summary>
    public required string Action { get; set; }

    /// <summary>To what, for example <c>alert/2f0c…</c>.</summary>
    public required string Subject { get; set; }

    /// <summary>JSON object.</summary>
    public required string Details { get; set; }

    /// <summary>Hash of the entry before; 64 zeros for the first.</summary>
    public required string PreviousHash { get; set; }

    /// <summary>SHA-256 over all of the above (<see cref="Audit.AuditChain"/>).</summary>
    public required string Hash { get; set; }
}

/// <summary>The installation's signature over the chain up to one entry.</summary>
public sealed class AuditSeal
{
    /// <summary>Last entry it covers.</summary>
    public long Sequence { get; set; }

    public DateTimeOffset At { get; set; }

    /// <summary>That entry's hash.</summary>
    public required string Hash { get; set; }

    /// <summary>Base64 ECDSA P-256 over the UTF-8 of sequence, colon, hash.</summary>
    public required string Signature { get; set; }
}

/// <summary>A message that waits for its receiver: written in the transaction that caused it, removed when the receiver has it.</summary>
public sealed class OutboxMessage
{
    public long Id { get; set; }

    /// <summary>The same at every attempt, so that a receiver can tell a repetition.</summary>
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

/// <summary>An audit entry of a van, as its headquarters received it: once and only once.</summary>
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

/// <summary>An invitation to become an officer here: its link is shown once, its hash kept.</summary>
public sealed class Invitation
{
    public Guid Id { get; set; }

    /// <summary>SHA-256 of the link's secret, hexadecimal.</summary>
    public required string SecretSha256 { get; set; }

    /// <summary>Names of roles, separated by commas.</summary>
    public required string Roles { get; set; }

    public required string InvitedBy { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    public DateTimeOffset? UsedAt { get; set; }
}
