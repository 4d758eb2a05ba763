using System.Text.Json;
using System.Text.Json.Serialization;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Details of a person on a watchlist; stored encrypted.</summary>
/// <param name="Name">For the operator.</param>
/// <param name="Reference">Case or warrant number.</param>
/// <param name="LegalBasis">Legal basis of the search.</param>
/// <param name="ImageSource">Where the image came from.</param>
/// <param name="Response">What officers do in addition to the authority's response for the category; null if nothing.</param>
/// <param name="Lookalike">Who is known to look like this person, for example a twin; shown to those who judge. Null if nobody is known.</param>
/// <param name="Groups">Of a role-player who consented: value by column (<see cref="Evaluation.Data.PersonGroups"/>). Null for everybody else.</param>
/// <param name="Consent">To the recording of the groups; null without groups.</param>
public sealed record PersonDetails(string Name, string Reference, string LegalBasis, string ImageSource, string? Response = null, string? Lookalike = null,
    IReadOnlyDictionary<string, string>? Groups = null, GroupConsent? Consent = null);

/// <summary>A role-player's consent to the recording of their groups.</summary>
/// <param name="GivenOn">When it was given.</param>
/// <param name="RecordedBy">Name of the officer who recorded it; the service fills it in.</param>
public sealed record GroupConsent(DateOnly GivenOn, string RecordedBy = "");

/// <summary>Verdict of the quality check on a photo.</summary>
/// <param name="Id">Of the photo.</param>
/// <param name="Verdict">Accepted, doubtful or rejected.</param>
/// <param name="Reasons">Why; empty when all is well.</param>
/// <param name="Quality">0…1.</param>
/// <param name="TakenOn">When it was taken.</param>
/// <param name="Faces">Right after it was added, its faces if there are several and none was chosen; otherwise null.</param>
public sealed record PhotoVetting(Guid Id, [property: JsonConverter(typeof(VerdictConverter))] PhotoVerdict Verdict, IReadOnlyList<string> Reasons, float Quality, DateOnly? TakenOn, PhotoFaces? Faces = null);

/// <summary>Verdicts by name, as <c>lfr enrol --json</c> writes them.</summary>
internal sealed class VerdictConverter() : JsonStringEnumConverter<PhotoVerdict>(JsonNamingPolicy.CamelCase);

/// <summary>A person as shown to the watchlist manager.</summary>
public sealed record PersonView(Guid Id, WatchlistCategory Category, PersonDetails Details, DateOnly ReviewedOn, bool RolePlayer, IReadOnlyList<PhotoVetting> Photos);

/// <summary>People who were looked for.</summary>
/// <param name="Total">How many there are.</param>
/// <param name="People">Those of the page.</param>
public sealed record PeopleFound(int Total, IReadOnlyList<PersonView> People);

/// <summary>Size of a watchlist.</summary>
/// <param name="People">On it.</param>
/// <param name="Photos">That were not rejected.</param>
internal readonly record struct ListCount(int People, int Photos);

/// <summary>Two people who look alike.</summary>
/// <param name="First">Person.</param>
/// <param name="Second">Person.</param>
/// <param name="Score">Of their best pair of photos, cosine.</param>
/// <param name="Meaning">What it may mean.</param>
public sealed record Lookalikes(Guid First, Guid Second, float Score, string Meaning);

/// <summary>Result of an import; nothing was written if <paramref name="Watchlist"/> is null.</summary>
/// <param name="Watchlist">The watchlist made; null for a dry run or when something was refused.</param>
/// <param name="People">In the list.</param>
/// <param name="Photos">Result of each photo.</param>
/// <param name="Refusals">Problems to fix; empty if the list can be imported.</param>
/// <param name="Similar">People who look alike; by the ids in the list.</param>
internal sealed record ImportReport(Guid? Watchlist, int People, PhotoReport[] Photos, string[] Refusals, SimilarityWarning[] Similar)
{
    /// <summary>Whether remarks about a photo are part of a problem: its person has no usable photo.</summary>
    public bool Blocks(PhotoReport photo) => Photos.Where(p => p.Id == photo.Id).All(p => p.Verdict == PhotoReport.Rejected);
}

/// <summary>Refused; each reason says what to do.</summary>
public sealed class WatchlistRefusedException(IReadOnlyList<string> reasons) : Exception(string.Join(" ", reasons))
{
    /// <summary>In words, for people.</summary>
    public IReadOnlyList<string> Reasons { get; } = reasons;
}
