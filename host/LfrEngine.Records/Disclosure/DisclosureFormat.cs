using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;

namespace LfrEngine.Records.Disclosure;

/// <summary>Names of the parts of a bundle, and how their JSON is written (docs/disclosure.md).</summary>
internal static class DisclosureFormat
{
    public const int Version = 1;

    public const string Manifest = "manifest.json", Page = "index.html", Alert = "alert.json", Probe = "probe.jpg", Reference = "reference.jpg", Evidence = "evidence.json",
        Authority = "authority.json", Second = "authority-second.json", Policy = "policy.json", Trail = "audit.jsonl", Figures = "figures.json", Receipts = "receipts/";

    /// <summary>Largest bundle, and largest sum of its parts when unpacked, bytes.</summary>
    public const long LargestBytes = 256L << 20, LargestUnpacked = 512L << 20;

    /// <summary>The signed list of parts.</summary>
    public static readonly SignedKind Kind = new("disclosure", "disclosure bundle", "Give another place with --out.");

    private static readonly JsonSerializerOptions Options = new(AuditJson.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
        WriteIndented = true,
        NewLine = "\n",
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    public static JsonTypeInfo<T> Json<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));

    /// <summary>JSON, indented.</summary>
    public static string Text<T>(T value) => JsonSerializer.Serialize(value, Json<T>());
}

/// <summary>What a bundle consists of; signed.</summary>
/// <param name="FormatVersion">1.</param>
/// <param name="Installation">Who made it.</param>
/// <param name="Alert">What it is about.</param>
/// <param name="Deployment">Of the alert.</param>
/// <param name="MadeAt">UTC.</param>
/// <param name="MadeBy">The officer, or the user of the command line.</param>
/// <param name="Reason">What for.</param>
/// <param name="Parts">Every other file.</param>
/// <param name="Absent">Files that a bundle can have and this one has not, and why.</param>
internal sealed record DisclosureManifest(int FormatVersion, string Installation, Guid Alert, Guid Deployment, DateTimeOffset MadeAt, string MadeBy, string Reason,
    IReadOnlyList<DisclosedPart> Parts, IReadOnlyList<AbsentPart> Absent);

/// <summary>A file of a bundle.</summary>
/// <param name="Name">In the bundle.</param>
/// <param name="What">In words.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">Of its content.</param>
internal sealed record DisclosedPart(string Name, string What, long Bytes, string Sha256);

/// <summary>A file that is not in a bundle.</summary>
/// <param name="Name">That it would have.</param>
/// <param name="Reason">Why it is not there.</param>
internal sealed record AbsentPart(string Name, string Reason);

/// <summary>The alert, as it is disclosed. Officers' notes are not in it, nor the entry's own response and lookalike: they may name others.</summary>
/// <param name="Id">Its own.</param>
/// <param name="Deployment">Its own.</param>
/// <param name="Category">Why the person was sought.</param>
/// <param name="RolePlayer">A consenting role-player of the field check.</param>
/// <param name="Camera">Name.</param>
/// <param name="CapturedAt">When the face was seen.</param>
/// <param name="RaisedAt">When the engine raised the alert.</param>
/// <param name="Score">Comparison score.</param>
/// <param name="Threshold">Of the category, inclusive.</param>
/// <param name="Likeness">The score in a word, as officers saw it.</param>
/// <param name="AgreeingShots">Shots that reached the threshold.</param>
/// <param name="ComparedShots">Shots that were compared.</param>
/// <param name="Quality">Of the best shot, 0…1.</param>
/// <param name="State">After the last decision.</param>
/// <param name="Pictures">Whether they exist.</param>
/// <param name="Decisions">In order, undone ones included.</param>
/// <param name="Sightings">Passages that joined the alert.</param>
/// <param name="Models">The networks, by the authority.</param>
/// <param name="Likelihood">Null if the evidence has no calibration.</param>
/// <param name="Person">The candidate; null once erased.</param>
/// <param name="Signed">Who signed the authority, and when.</param>
/// <param name="SecondSigned">Who signed second.</param>
internal sealed record DisclosedAlert(Guid Id, Guid Deployment, string Category, bool RolePlayer, string Camera, DateTimeOffset CapturedAt, DateTimeOffset RaisedAt, float Score, float Threshold,
    Likeness Likeness, int AgreeingShots, int ComparedShots, float Quality, AlertState State, DisclosedPictures Pictures, IReadOnlyList<DisclosedDecision> Decisions,
    IReadOnlyList<DisclosedSighting> Sightings, IReadOnlyList<AuthorisedModel> Models, DisclosedLikelihood? Likelihood = null, DisclosedPerson? Person = null,
    DisclosedSignature? Signed = null, DisclosedSignature? SecondSigned = null);

/// <summary>Whether the pictures of the alert still exist.</summary>
/// <param name="Exist">At the time of the disclosure.</param>
/// <param name="EraseBy">When they are, or would have been, erased at the latest.</param>
/// <param name="ErasedAt">Null if they exist.</param>
/// <param name="Why">Why they were erased, from the audit trail.</param>
internal sealed record DisclosedPictures(bool Exist, DateTimeOffset EraseBy, DateTimeOffset? ErasedAt = null, string? Why = null);

/// <summary>The likelihood ratio, as officers saw it.</summary>
/// <param name="Log10">Logarithm, base 10.</param>
/// <param name="AtBound">Whether it is at the limit of what the measurement can show.</param>
/// <param name="ListSize">People on the list that was searched.</param>
/// <param name="Support">Degree of support.</param>
/// <param name="Words">The sentence.</param>
internal sealed record DisclosedLikelihood(double Log10, bool AtBound, int ListSize, Support Support, string Words);

/// <summary>The candidate.</summary>
internal sealed record DisclosedPerson(string Name, string Reference, string LegalBasis, string ImageSource, IReadOnlyList<string> QualityWarnings);

/// <summary>A decision.</summary>
/// <param name="Entry">Its number, as in the audit trail.</param>
/// <param name="At">When.</param>
/// <param name="Officer">Who.</param>
/// <param name="From">State before.</param>
/// <param name="To">State after.</param>
/// <param name="HasNote">Whether the officer wrote a note, which is not disclosed.</param>
/// <param name="Undoes">The entry that it undoes.</param>
internal sealed record DisclosedDecision(long Entry, DateTimeOffset At, string Officer, AlertState From, AlertState To, bool HasNote, long? Undoes = null);

/// <summary>A passage that joined the alert.</summary>
internal sealed record DisclosedSighting(Guid Id, string Camera, DateTimeOffset CapturedAt, float Score);

/// <summary>A signature of the authority: with it, the proof in the audit trail can be recomputed.</summary>
internal sealed record DisclosedSignature(Guid By, DateTimeOffset At);
