using LfrEngine.Models;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>Makes an authority from a draft, or gives every reason why it cannot be made.</summary>
internal sealed class AuthorityDrafting(Installation installation, EvidenceShelf evidence, AuthorityPresent present, TimeProvider time)
{
    /// <summary>Longest time that one authority covers, hours.</summary>
    private const int MostHours = 24;

    private const int LongestName = 100, LongestLine = 300, LongestText = 4000;

    /// <summary>Makes the authority of a draft.</summary>
    /// <param name="store">Read only.</param>
    /// <param name="id">The deployment's.</param>
    /// <param name="drafter">An officer, not the engine.</param>
    /// <param name="draft">The requested content.</param>
    /// <param name="officers">Who may sign.</param>
    /// <param name="stopping">Cancels before it is made.</param>
    /// <exception cref="AuthorityException">Something is missing, contradicts itself, or is not covered by evidence; every reason.</exception>
    public async Task<Authority> MakeAsync(LfrStore store, Guid id, Actor drafter, AuthorityDraft draft, IReadOnlyList<NamedOfficer> officers, CancellationToken stopping)
    {
        var reasons = new List<string>();
        string Text(string value, string what, int longest)
        {
            value = value.Trim();
            if (value.Length == 0 || value.Length > longest)
                reasons.Add($"{what}: 1 to {longest} characters.");
            else if (!Shown.IsPlain(value, lines: longest == LongestText))
                reasons.Add($"{what}: contains characters that cannot be seen. Type it again.");
            return value;
        }

        DateTimeOffset now = ToMicroseconds(time.GetUtcNow()), start = draft.Start.ToUniversalTime(), end = draft.End.ToUniversalTime();
        string name = Text(draft.Name, "Name", LongestName), purpose = Text(draft.Purpose, "Purpose", LongestText), type = Text(draft.DeploymentType, "Type of deployment", LongestName), place = Text(draft.Place, "Place", LongestLine);
        var assessments = new ImpactAssessments(
            Text(draft.Assessments.DataProtection, "Data protection impact assessment", LongestLine),
            Text(draft.Assessments.Equality, "Equality impact assessment", LongestLine),
            Text(draft.Assessments.Community, "Community impact assessment", LongestLine));
        if (end <= start)
            reasons.Add("The end must be after the start.");
        else if (end - start > TimeSpan.FromHours(MostHours))
            reasons.Add($"An authority covers at most {MostHours} hours.");
        else if (end <= now)
            reasons.Add($"The end, {LocalTime.Show(end, time.LocalTimeZone)}, has passed.");
        if (draft.PassersBy is < 1 or > 10_000_000)
            reasons.Add("People expected to pass must be between 1 and 10000000.");

        if (draft.Cameras.Count == 0 || draft.Cameras.Distinct().Count() != draft.Cameras.Count)
            reasons.Add("Choose at least one camera, and each only once.");
        if (!(draft.Least.PerSecond is >= LeastSearched.Lowest and <= LeastSearched.Highest))
            reasons.Add(FormattableString.Invariant($"Fewest searched frames per second must be between {LeastSearched.Lowest} and {LeastSearched.Highest}."));
        if (draft.Least.ForSeconds is < 1 or > LeastSearched.LongestSeconds)
            reasons.Add($"The time with fewer searched frames must be between 1 and {LeastSearched.LongestSeconds} seconds.");
        LeastSearched least = draft.Least with { PerSecond = Math.Round(draft.Least.PerSecond, 2) };
        var cameras = new List<AuthorisedCamera>();
        foreach (string wanted in draft.Cameras)
        {
            if (installation.Config.Cameras.FirstOrDefault(c => c.Name == wanted) is { } camera)
                cameras.Add(new AuthorisedCamera(camera.Name, Authority.SourceHash(camera), least));
            else
                reasons.Add($"The camera {wanted} is not configured.");
        }

        WatchlistRecord? watchlist = await store.Watchlists.AsNoTracking().FirstOrDefaultAsync(w => w.Id == draft.WatchlistId, stopping);
        if (draft.WatchlistId == Guid.Empty)
            reasons.Add("Choose a watchlist.");
        else if (present.WatchlistFault(watchlist, draft.WatchlistId.ToString()) is { } fault)
            reasons.Add(fault);
        IReadOnlyList<(AuthorisedModel Model, string? Fault)> models = present.Models();
        reasons.AddRange(models.Select(m => m.Fault).OfType<string>());
        List<AuthorisedCategory> categories = Categories(draft, watchlist?.People ?? 0, reasons);
        foreach (WatchlistCategory listed in await store.People.Where(p => p.WatchlistId == draft.WatchlistId).Select(p => p.Category).Distinct().ToArrayAsync(stopping))
        {
            if (draft.Categories.All(c => c.Category != listed))
                reasons.Add($"The watchlist contains people of the category {listed.Name()}, which the authority does not name.");
        }

        var self = new NamedOfficer(drafter.OfficerId, drafter.Name);
        NamedOfficer? officer = officers.FirstOrDefault(o => o.Id == draft.AuthorisingOfficer);
        if (officer is null)
            reasons.Add("Choose an authorising officer.");
        else if (officer.Id == drafter.OfficerId)
            reasons.Add("The drafter of an authority cannot sign it. Choose another authorising officer.");
        if (reasons.Count > 0)
            throw new AuthorityException(reasons);
        return new Authority(Authority.CurrentFormat, id, name, purpose, type, place, start, end, cameras,
            new AuthorisedWatchlist(watchlist!.Id, watchlist.Name, watchlist.People, watchlist.FileSha256!), draft.PassersBy, categories,
            [.. models.Select(m => m.Model)], assessments, officer!, self, now, await TwoIdentities.WarningAsync(store, self, officer!, stopping));
    }

    private List<AuthorisedCategory> Categories(AuthorityDraft draft, int people, List<string> reasons)
    {
        var made = new List<AuthorisedCategory>();
        if (draft.Categories.Count == 0)
            reasons.Add("Choose at least one category.");
        foreach (CategoryDraft wanted in draft.Categories)
        {
            string name = wanted.Category.Name(), response = wanted.Response.Trim();
            if (draft.Categories.Count(c => c.Category == wanted.Category) > 1)
                reasons.Add($"{name}: named twice.");
            if (response.Length is 0 or > LongestText)
                reasons.Add($"{name}, response: 1 to {LongestText} characters.");
            else if (!Shown.IsPlain(response, lines: true))
                reasons.Add($"{name}, response: contains characters that cannot be seen. Type it again.");
            double threshold = Math.Round(wanted.Threshold, 4);
            if (!(threshold is > 0 and <= 1))
                reasons.Add($"{name}: a threshold must be between 0 and 1.");
            else if (evidence.Find(wanted.EvidenceSha256) is not { } file)
                reasons.Add($"{name}: choose an evidence file.");
            else if (file.Document is null)
                reasons.Add($"{name}: the evidence {file.FileName} cannot be trusted: {file.Fault}");
            // An empty watchlist gives no expected alerts, and was already reported above.
            else if (people > 0 && draft.PassersBy > 0)
            {
                if (EvidenceShelf.Cover(threshold, file.FileName, file.Document, people, draft.PassersBy, present.Embedder.Sha256, out string? fault) is var (point, expected))
                {
                    made.Add(new AuthorisedCategory(wanted.Category, threshold, new AuthorisedEvidence(
                        file.Sha256, file.FileName, file.Document.Protocol, file.Document.MadeAt, point.GallerySize, expected.Low, expected.High, expected.Mean), response));
                }
                else
                {
                    reasons.Add($"{name}: {fault}");
                }
            }
        }
        return made;
    }

    /// <summary>An instant, rounded to the precision of the store.</summary>
    public static DateTimeOffset ToMicroseconds(DateTimeOffset at) => new(at.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
}
