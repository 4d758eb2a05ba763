using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LfrEngine.Matching;
using LfrEngine.Native.Media;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Policies;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Authorities;

/// <summary>The authority of a deployment: signed by an authorising officer and enforced by the engine.</summary>
/// <remarks>It is stored, signed and published as one text (<see cref="ToText"/>); the signature covers the UTF-8 of that text, byte for byte. Fields are explained in docs/host-json.md.</remarks>
/// <param name="FormatVersion">Of this document.</param>
/// <param name="Deployment">The deployment it is for.</param>
/// <param name="Name">Of the deployment.</param>
/// <param name="Purpose">Why this deployment is necessary and proportionate.</param>
/// <param name="DeploymentType">As it is published.</param>
/// <param name="Place">Where.</param>
/// <param name="Start">UTC; the engine does not run before.</param>
/// <param name="End">UTC; the engine does not run after this.</param>
/// <param name="Cameras">All cameras that may be used.</param>
/// <param name="Watchlist">The list that is searched.</param>
/// <param name="PassersBy">People expected to pass, to estimate false alerts.</param>
/// <param name="Categories">Why people are sought, each with its threshold, evidence and response.</param>
/// <param name="Models">The networks.</param>
/// <param name="Assessments">Impact assessments, by reference.</param>
/// <param name="AuthorisingOfficer">Who signs.</param>
/// <param name="Drafter">Who drafted; another person.</param>
/// <param name="DraftedAt">UTC.</param>
/// <param name="Identities">In words, that one person may hold both identities, drafter and authorising officer; null if another officer vouches for one of them. Since format 2.</param>
/// <param name="Policy">The rules that it was signed under; null where there are none. Since format 4.</param>
/// <param name="Ground">Why there: an id of the policy's grounds and its words. Since format 4.</param>
/// <param name="Area">Corners on the map, as <see cref="DeploymentArea"/> reads them. Since format 4.</param>
/// <param name="AccountablePerson">The senior accountable person (BS 9347). Since format 4.</param>
/// <param name="Demands">What the evidence must show beyond the policy. Since format 4.</param>
/// <param name="Lowered">Thresholds lower than those last signed here, with the reason. Since format 4.</param>
/// <param name="SecondOfficer">Who signs too, where a threshold becomes lower. Since format 4.</param>
public sealed record Authority(
    int FormatVersion, Guid Deployment, string Name, string Purpose, string DeploymentType, string Place, DateTimeOffset Start, DateTimeOffset End,
    IReadOnlyList<AuthorisedCamera> Cameras, AuthorisedWatchlist Watchlist, long PassersBy, IReadOnlyList<AuthorisedCategory> Categories,
    IReadOnlyList<AuthorisedModel> Models, ImpactAssessments Assessments, NamedOfficer AuthorisingOfficer, NamedOfficer Drafter, DateTimeOffset DraftedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Identities = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AuthorisedPolicy? Policy = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] AuthorisedGround? Ground = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Area = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? AccountablePerson = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] EvidenceDemands? Demands = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LoweredThresholds? Lowered = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] NamedOfficer? SecondOfficer = null)
{
    /// <summary>Current format version.</summary>
    public const int CurrentFormat = 4;

    // A cosine is never above 1, so people of a category that is not authorised never reach it.
    private const float Unreachable = 2;

    /// <summary>For reading published authorities.</summary>
    internal static JsonTypeInfo<Authority> Json => (JsonTypeInfo<Authority>)StrictJson.Options.GetTypeInfo(typeof(Authority));

    /// <summary>Thresholds; those of categories that are not authorised cannot be reached.</summary>
    [JsonIgnore]
    public CategoryThresholds Thresholds
    {
        get
        {
            float Of(WatchlistCategory category) => Categories.FirstOrDefault(c => c.Category == category) is { } named ? (float)named.Threshold : Unreachable;
            return new CategoryThresholds(Of(WatchlistCategory.Wanted), Of(WatchlistCategory.CourtOrder), Of(WatchlistCategory.Suspect), Of(WatchlistCategory.MissingOrVulnerable), Of(WatchlistCategory.AtRiskOfHarm));
        }
    }

    /// <summary>Upper estimate of false alerts: as if everybody on the list were sought at the threshold that gives most.</summary>
    [JsonIgnore]
    public AuthorisedEvidence Worst => Categories.Select(c => c.Evidence).MaxBy(e => e.MostFalseAlerts)!;

    /// <summary>The text that is signed: JSON, indented, in the order of the fields.</summary>
    public string ToText() => JsonSerializer.Serialize(this, Json);

    /// <summary>Reads a text.</summary>
    /// <exception cref="JsonException">The text is not an authority in a supported format.</exception>
    public static Authority Parse(string text)
    {
        Authority authority = JsonSerializer.Deserialize(text, Json) ?? throw new JsonException("it is empty");
        return authority.FormatVersion is < 1 or > CurrentFormat ? throw new JsonException($"format {authority.FormatVersion}; this program reads 1 to {CurrentFormat}")
            : authority.Categories.Count == 0 ? throw new JsonException("no category")
            : authority;
    }

    /// <summary>SHA-256 of a text's UTF-8, lower-case hexadecimal.</summary>
    internal static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Stands for a camera's source in the published authority: the SHA-256 of the source without user name and password.</summary>
    internal static string SourceHash(CameraConfig camera)
    {
        string address = MediaReader.WithoutLogin(camera.Source);
        // Addresses with a login are hashed in the spelling used by signed authorities.
        return HashOf(address.Length < camera.Source.Length && Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) ? uri.ToString() : address);
    }
}

/// <summary>A camera of an authority.</summary>
/// <param name="Name">As configured.</param>
/// <param name="SourceSha256">Of its configured source, without user name and password.</param>
/// <param name="Zone">Part of the picture in which faces are compared, as in lfr.json; null for the whole picture. Since format 3.</param>
/// <param name="Least">How often it must be searched, or the engine stops; null in authorities before format 3.</param>
public sealed record AuthorisedCamera(string Name, string SourceSha256, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Zone = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] LeastSearched? Least = null)
{
    /// <summary>As an authority names it.</summary>
    internal static AuthorisedCamera Of(CameraConfig camera) => new(camera.Name, Authority.SourceHash(camera), camera.PictureZone?.ToString());
}

/// <summary>How often a camera must be searched for faces. An engine that cannot follow misses people, which nobody has authorised.</summary>
/// <param name="PerSecond">Fewest searched frames per second.</param>
/// <param name="ForSeconds">When there have been fewer for this long, the engine stops the deployment.</param>
public sealed record LeastSearched(double PerSecond, int ForSeconds)
{
    /// <summary>Smallest and largest <see cref="PerSecond"/> that can be demanded.</summary>
    public const double Lowest = 0.1, Highest = 30;

    /// <summary>A person who walks towards a camera is large enough to be compared for three seconds or more: that is at least six looks, of which two must agree.</summary>
    public const double Usual = 2;

    /// <summary>Longest <see cref="ForSeconds"/> that can be demanded.</summary>
    public const int LongestSeconds = 300;

    /// <summary>Longer than a hiccup of the network or of the machine, and shorter than anybody would walk past all the cameras of a street.</summary>
    public const int UsualSeconds = 30;
}

/// <summary>The watchlist of an authority.</summary>
/// <param name="Id">Whose.</param>
/// <param name="Name">For people.</param>
/// <param name="People">On it.</param>
/// <param name="FileSha256">Of the built, encrypted file.</param>
public sealed record AuthorisedWatchlist(Guid Id, string Name, int People, string FileSha256);

/// <summary>A category of an authority.</summary>
/// <param name="Category">Why people are sought.</param>
/// <param name="Threshold">Comparison score that counts, inclusive.</param>
/// <param name="Evidence">Evidence for its error rates.</param>
/// <param name="Response">What officers do when somebody of this category is found.</param>
public sealed record AuthorisedCategory(WatchlistCategory Category, double Threshold, AuthorisedEvidence Evidence, string Response);

/// <summary>The evidence for a threshold.</summary>
/// <param name="FileSha256">Of the laboratory's signed file.</param>
/// <param name="FileName">Its name in the evidence folder.</param>
/// <param name="Protocol">identify or passages.</param>
/// <param name="MadeAt">When it was measured.</param>
/// <param name="GallerySize">People enrolled at the point that was measured.</param>
/// <param name="FewestFalseAlerts">Lower 95 % bound, if everybody on the list were sought at this threshold.</param>
/// <param name="MostFalseAlerts">Upper bound.</param>
/// <param name="FalseAlertsOnAverage">Average.</param>
public sealed record AuthorisedEvidence(string FileSha256, string FileName, string Protocol, DateTimeOffset MadeAt, int GallerySize, long FewestFalseAlerts, long MostFalseAlerts, double FalseAlertsOnAverage);

/// <summary>A network of an authority.</summary>
/// <param name="Task">detector, landmarks, embedder, mesh, first verifier or second verifier.</param>
/// <param name="Id">For people.</param>
/// <param name="Sha256">Of its file.</param>
public sealed record AuthorisedModel(string Task, string Id, string Sha256);

/// <summary>Impact assessments, by reference.</summary>
/// <param name="DataProtection">DPIA.</param>
/// <param name="Equality">EIA.</param>
/// <param name="Community">Community impact assessment.</param>
public sealed record ImpactAssessments(string DataProtection, string Equality, string Community);

/// <summary>An officer of an authority.</summary>
/// <param name="Id">The officer's.</param>
/// <param name="Name">For people.</param>
/// <param name="Rank">When the authority was drafted; null if none is recorded.</param>
public sealed record NamedOfficer(Guid Id, string Name, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Rank = null);

/// <summary>The policy pack of an authority.</summary>
/// <param name="Name">For people.</param>
/// <param name="Version">Of the rules.</param>
/// <param name="Sha256">Of its text.</param>
public sealed record AuthorisedPolicy(string Name, string Version, string Sha256);

/// <summary>Why a deployment is where it is.</summary>
/// <param name="Id">Of the policy's ground.</param>
/// <param name="Words">Of the policy.</param>
public sealed record AuthorisedGround(string Id, string Words);

/// <summary>What an authority demands of its evidence.</summary>
/// <param name="Since">First day of a measurement that counts; null for any.</param>
/// <param name="Groups">Largest differences between groups.</param>
public sealed record EvidenceDemands([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateOnly? Since, IReadOnlyList<GroupDemand> Groups);

/// <summary>Thresholds that are lower than before: an event of its own.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Categories">Which.</param>
public sealed record LoweredThresholds(string Reason, IReadOnlyList<LoweredThreshold> Categories);

/// <summary>A threshold that is lower than the one last signed here for the category.</summary>
/// <param name="Category">Whose.</param>
/// <param name="From">The last one.</param>
/// <param name="To">The new one.</param>
/// <param name="Before">The deployment that had the last one.</param>
public sealed record LoweredThreshold(WatchlistCategory Category, double From, double To, Guid Before);

/// <summary>A drafter's input, from which <see cref="AuthorityService"/> makes an <see cref="Authority"/>.</summary>
public sealed record AuthorityDraft
{
    public string Name { get; init; } = "";

    public string Purpose { get; init; } = "";

    public string DeploymentType { get; init; } = "";

    public string Place { get; init; } = "";

    public DateTimeOffset Start { get; init; }

    public DateTimeOffset End { get; init; }

    public IReadOnlyList<string> Cameras { get; init; } = [];

    /// <summary>How often each camera must be searched.</summary>
    public LeastSearched Least { get; init; } = new(LeastSearched.Usual, LeastSearched.UsualSeconds);

    public Guid WatchlistId { get; init; }

    public long PassersBy { get; init; }

    public IReadOnlyList<CategoryDraft> Categories { get; init; } = [];

    public ImpactAssessments Assessments { get; init; } = new("", "", "");

    public Guid AuthorisingOfficer { get; init; }

    /// <summary>Id of the policy's ground; empty for none.</summary>
    public string Ground { get; init; } = "";

    /// <summary>Corners on the map; empty for none.</summary>
    public string Area { get; init; } = "";

    /// <summary>The senior accountable person; empty for none.</summary>
    public string AccountablePerson { get; init; } = "";

    /// <summary>What the evidence must show beyond the policy.</summary>
    public EvidenceDemands Demands { get; init; } = new(null, []);

    /// <summary>Why a threshold is lower than before; empty if none is.</summary>
    public string LoweringReason { get; init; } = "";

    /// <summary>Who signs too, where a threshold becomes lower.</summary>
    public Guid SecondOfficer { get; init; }
}

/// <summary>A category in a draft.</summary>
/// <param name="Category">Why people are sought.</param>
/// <param name="Threshold">Comparison score, inclusive.</param>
/// <param name="EvidenceSha256">Of the evidence file.</param>
/// <param name="Response">What officers do.</param>
public sealed record CategoryDraft(WatchlistCategory Category, double Threshold, string EvidenceSha256, string Response);

/// <summary>A form that a drafter is filling in, as typed.</summary>
/// <param name="Start">In this installation's time zone, as browsers write it.</param>
/// <param name="End">The same.</param>
/// <param name="Least">Fewest searched frames per second.</param>
internal sealed record AuthorityForm(
    string Name, string Purpose, string DeploymentType, string Place, string Start, string End, IReadOnlyList<string> Cameras, double Least, Guid WatchlistId, long PassersBy,
    IReadOnlyList<FormCategory> Categories, ImpactAssessments Assessments, Guid AuthorisingOfficer,
    string Ground = "", string Area = "", string AccountablePerson = "", string Since = "", IReadOnlyList<GroupDemand>? Groups = null, string LoweringReason = "", Guid SecondOfficer = default);

/// <summary>A category of a form.</summary>
internal sealed record FormCategory(WatchlistCategory Category, bool Sought, double Threshold, string EvidenceSha256, string Response);

/// <summary>Why an authority cannot be drafted.</summary>
/// <param name="Field">Of <see cref="AuthorityDraft"/>, or the name of a category; empty if it is about no field.</param>
/// <param name="Text">One sentence.</param>
public sealed record DraftFault(string Field, string Text);

/// <summary>An authority cannot be drafted, signed or withdrawn; with all reasons.</summary>
public sealed class AuthorityException(IReadOnlyList<DraftFault> faults) : Exception(string.Join(" ", faults.Select(f => f.Text)))
{
    /// <summary>Reasons that are about no field.</summary>
    public AuthorityException(IReadOnlyList<string> reasons)
        : this([.. reasons.Select(r => new DraftFault("", r))])
    {
    }

    /// <summary>With the fields of a draft that they are about.</summary>
    public IReadOnlyList<DraftFault> Faults { get; } = faults;

    /// <summary>One sentence each.</summary>
    public IReadOnlyList<string> Reasons { get; } = [.. faults.Select(f => f.Text)];
}
