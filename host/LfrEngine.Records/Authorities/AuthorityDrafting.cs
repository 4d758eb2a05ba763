using LfrEngine.Models;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>Makes an authority from a draft, or gives every reason why it cannot be made.</summary>
internal sealed class AuthorityDrafting(CameraRegister known, EvidenceShelf evidence, AuthorityPresent present, TimeProvider time)
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
        var faults = new List<DraftFault>();
        void Wrong(string field, string text) => faults.Add(new DraftFault(field, text));
        string Text(string field, string value, string what, int longest)
        {
            value = value.Trim();
            if (value.Length == 0 || value.Length > longest)
                Wrong(field, $"{what}: 1 to {longest} characters.");
            else if (!Shown.IsPlain(value, lines: longest == LongestText))
                Wrong(field, $"{what}: contains characters that cannot be seen. Type it again.");
            return value;
        }

        DateTimeOffset now = ToMicroseconds(time.GetUtcNow()), start = draft.Start.ToUniversalTime(), end = draft.End.ToUniversalTime();
        string name = Text(nameof(draft.Name), draft.Name, "Name", LongestName), purpose = Text(nameof(draft.Purpose), draft.Purpose, "Purpose", LongestText), type = Text(nameof(draft.DeploymentType), draft.DeploymentType, "Type of deployment", LongestName), place = Text(nameof(draft.Place), draft.Place, "Place", LongestLine);
        var assessments = new ImpactAssessments(
            Text(nameof(draft.Assessments.DataProtection), draft.Assessments.DataProtection, "Data protection impact assessment", LongestLine),
            Text(nameof(draft.Assessments.Equality), draft.Assessments.Equality, "Equality impact assessment", LongestLine),
            Text(nameof(draft.Assessments.Community), draft.Assessments.Community, "Community impact assessment", LongestLine));
        if (end <= start)
            Wrong(nameof(draft.End), "The end must be after the start.");
        else if (end - start > TimeSpan.FromHours(MostHours))
            Wrong(nameof(draft.End), $"An authority covers at most {MostHours} hours.");
        else if (end <= now)
            Wrong(nameof(draft.End), $"The end, {LocalTime.Show(end, time.LocalTimeZone)}, has passed.");
        if (draft.PassersBy is < 1 or > 10_000_000)
            Wrong(nameof(draft.PassersBy), "People expected to pass must be between 1 and 10000000.");

        if (draft.Cameras.Count == 0 || draft.Cameras.Distinct().Count() != draft.Cameras.Count)
            Wrong(nameof(draft.Cameras), "Choose at least one camera, and each only once.");
        if (!(draft.Least.PerSecond is >= LeastSearched.Lowest and <= LeastSearched.Highest))
            Wrong(nameof(draft.Least), FormattableString.Invariant($"Fewest searched frames per second must be between {LeastSearched.Lowest} and {LeastSearched.Highest}."));
        if (draft.Least.ForSeconds is < 1 or > LeastSearched.LongestSeconds)
            Wrong(nameof(draft.Least), $"The time with fewer searched frames must be between 1 and {LeastSearched.LongestSeconds} seconds.");
        LeastSearched least = draft.Least with { PerSecond = Math.Round(draft.Least.PerSecond, 2) };
        var cameras = new List<AuthorisedCamera>();
        foreach (string wanted in draft.Cameras)
        {
            if (known.Find(wanted) is { } camera)
                cameras.Add(AuthorisedCamera.Of(camera) with { Least = least });
            else
                Wrong(nameof(draft.Cameras), $"The camera {wanted} is not configured.");
        }

        WatchlistRecord? watchlist = await store.Watchlists.AsNoTracking().FirstOrDefaultAsync(w => w.Id == draft.WatchlistId, stopping);
        if (draft.WatchlistId == Guid.Empty)
            Wrong(nameof(draft.WatchlistId), "Choose a watchlist.");
        else if (present.WatchlistFault(watchlist, draft.WatchlistId.ToString()) is { } fault)
            Wrong(nameof(draft.WatchlistId), fault);
        IReadOnlyList<(AuthorisedModel Model, string? Fault)> models = present.Models();
        faults.AddRange(models.Select(m => m.Fault).OfType<string>().Select(f => new DraftFault("", f)));
        List<AuthorisedCategory> categories = Categories(draft, watchlist?.People ?? 0, Wrong);
        foreach (WatchlistCategory listed in await store.People.Where(p => p.WatchlistId == draft.WatchlistId).Select(p => p.Category).Distinct().ToArrayAsync(stopping))
        {
            if (draft.Categories.All(c => c.Category != listed))
                Wrong(listed.Name(), $"The watchlist contains people of the category {listed.Name()}, which the authority does not name.");
        }

        PolicyPack? pack = present.Policies.Current?.Pack;
        AuthorisedGround? ground = draft.Ground.Length == 0 ? null : pack?.Where?.Grounds.GetValueOrDefault(draft.Ground) is { } words ? new AuthorisedGround(draft.Ground, words) : null;
        string area = draft.Area.Trim();
        if (DeploymentArea.TryParse(area, out DeploymentArea? drawn))
            area = drawn!.ToString();
        else if (area.Length > 0)
            Wrong(nameof(draft.Area), $"Area: 3 to {DeploymentArea.MostCorners} corners as latitude,longitude in degrees, with a blank between two corners.");
        string accountable = draft.AccountablePerson.Trim();
        if (accountable.Length > LongestName || !Shown.IsPlain(accountable))
            Wrong(nameof(draft.AccountablePerson), $"Senior accountable person: up to {LongestName} characters that can be seen.");
        foreach (string fault in GroupGate.Faults(draft.Demands.Groups))
            Wrong(nameof(draft.Demands), fault);
        string reason = draft.LoweringReason.Trim();
        if (reason.Length > LongestText || !Shown.IsPlain(reason, lines: true))
            Wrong(nameof(draft.LoweringReason), $"Reason for the lower threshold: 1 to {LongestText} characters that can be seen.");

        var self = new NamedOfficer(drafter.OfficerId, drafter.Name);
        NamedOfficer? officer = officers.FirstOrDefault(o => o.Id == draft.AuthorisingOfficer);
        if (officer is null)
            Wrong(nameof(draft.AuthorisingOfficer), "Choose an authorising officer.");
        else if (officer.Id == drafter.OfficerId)
            Wrong(nameof(draft.AuthorisingOfficer), "The drafter of an authority cannot sign it. Choose another authorising officer.");
        IReadOnlyList<LoweredThreshold> lowered = await present.LoweredAsync(store, id, [.. models.Select(m => m.Model)], categories, stopping);
        NamedOfficer? second = null;
        if (lowered.Count > 0)
        {
            second = officers.FirstOrDefault(o => o.Id == draft.SecondOfficer);
            if (reason.Length == 0)
                Wrong(nameof(draft.LoweringReason), $"A threshold is lower than before ({string.Join("; ", lowered.Select(AuthorityPresent.Words))}). Give the reason: it is published.");
            if (second is null || second.Id == drafter.OfficerId || second.Id == officer?.Id)
                Wrong(nameof(draft.SecondOfficer), "A threshold is lower than before. Choose a second authorising officer, who is neither the drafter nor the first one.");
        }
        // Rules are checked as far as there is something to check, so that everything is told at once.
        Authority? made = watchlist?.FileSha256 is null || officer is null ? null : new Authority(Authority.CurrentFormat, id, name, purpose, type, place, start, end, cameras,
            new AuthorisedWatchlist(watchlist.Id, watchlist.Name, watchlist.People, watchlist.FileSha256), draft.PassersBy, categories,
            [.. models.Select(m => m.Model)], assessments, officer, self, now, await TwoIdentities.WarningAsync(store, self, officer, stopping),
            present.Policies.Current is { } policy ? new AuthorisedPolicy(policy.Pack.Name, policy.Pack.Version, policy.Sha256) : null, ground, area.Length > 0 ? area : null, accountable.Length > 0 ? accountable : null,
            draft.Demands is { Since: null, Groups.Count: 0 } ? null : draft.Demands, lowered.Count > 0 ? new LoweredThresholds(reason, lowered) : null, second);
        if (made is not null)
            faults.AddRange(await present.BrokenRulesAsync(store, made, pack, stopping));
        return faults.Count > 0 ? throw new AuthorityException(faults) : made!;
    }

    private List<AuthorisedCategory> Categories(AuthorityDraft draft, int people, Action<string, string> wrong)
    {
        var made = new List<AuthorisedCategory>();
        if (draft.Categories.Count == 0)
            wrong(nameof(draft.Categories), "Choose at least one category.");
        foreach (CategoryDraft wanted in draft.Categories)
        {
            string name = wanted.Category.Name(), response = wanted.Response.Trim();
            if (draft.Categories.Count(c => c.Category == wanted.Category) > 1)
                wrong(name, $"{name}: named twice.");
            if (response.Length is 0 or > LongestText)
                wrong(name, $"{name}, response: 1 to {LongestText} characters.");
            else if (!Shown.IsPlain(response, lines: true))
                wrong(name, $"{name}, response: contains characters that cannot be seen. Type it again.");
            double threshold = Math.Round(wanted.Threshold, 4);
            if (!(threshold is > 0 and <= 1))
                wrong(name, $"{name}: a threshold must be between 0 and 1.");
            else if (evidence.Find(wanted.EvidenceSha256) is not { } file)
                wrong(name, $"{name}: choose an evidence file.");
            else if (file.Document is null)
                wrong(name, $"{name}: the evidence {file.FileName} cannot be trusted: {file.Fault}");
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
                    wrong(name, $"{name}: {fault}");
                }
            }
        }
        return made;
    }

    /// <summary>An instant, rounded to the precision of the store.</summary>
    public static DateTimeOffset ToMicroseconds(DateTimeOffset at) => new(at.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
}
