using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>Authorities: drafted by one person, signed by another, kept to by the engine.</summary>
/// <remarks>The text is made once, at drafting, and never changes; who wants another drafts anew. Where the audit trail and the row of the store disagree, nothing runs.</remarks>
internal sealed class AuthorityService(
    IDbContextFactory<LfrStore> stores, Journal journal, Installation installation, EvidenceShelf evidence, FileHashes hashes, ModelCatalog catalog,
    OfficerSigning signing, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Longest time that one authority covers, hours.</summary>
    public const int MostHours = 24;

    private const int LongestName = 100, LongestLine = 300, LongestText = 4000;

    // In the order of the models that are loaded.
    private static readonly string[] s_tasks = ["detector", "landmarks", EmbedderTask, "mesh", "first verifier", "second verifier"];

    private const string Drafted = "deployment.drafted", Signed = "deployment.signed", Withdrawn = "deployment.withdrawn";

    /// <summary>Drafts an authority.</summary>
    /// <param name="drafter">An officer, not the engine.</param>
    /// <param name="draft">What is asked for.</param>
    /// <param name="stopping">Before the draft is kept.</param>
    /// <returns>The deployment's id.</returns>
    /// <exception cref="AuthorityException">Something is missing, contradicts itself, or is not covered by evidence; every reason.</exception>
    public async Task<Guid> DraftAsync(Actor drafter, AuthorityDraft draft, CancellationToken stopping = default)
    {
        var id = Guid.NewGuid();
        return await journal.ChangeAsync(drafter, async (store, entries) =>
        {
            Authority authority = await MakeAsync(store, id, drafter, draft, stopping);
            string text = authority.ToText();
            store.Deployments.Add(new DeploymentRecord
            {
                Id = id,
                Name = authority.Name,
                State = DeploymentState.Draft,
                WatchlistId = authority.Watchlist.Id,
                AuthorityText = text,
                DraftedBy = authority.Drafter.Id,
                DraftedAt = authority.DraftedAt,
            });
            entries.Note(Drafted, Subject(id), new { authority.Name, Type = authority.DeploymentType, Date = DateOf(authority), TextSha256 = Authority.HashOf(text) });
            return id;
        }, stopping);
    }

    /// <summary>Signs an authority with password and one-time code as proof.</summary>
    /// <param name="deployment">A draft.</param>
    /// <param name="officer">The officer whom the authority names.</param>
    /// <param name="password">As typed.</param>
    /// <param name="code">Of the authenticator app, as typed.</param>
    /// <param name="stopping">Before the signature is kept.</param>
    /// <exception cref="AuthorityException">It may not be signed, or not by this officer; every reason.</exception>
    /// <exception cref="ProofRefusedException">The proof does not hold.</exception>
    public Task SignAsync(Guid deployment, Guid officer, string password, string code, CancellationToken stopping = default) =>
        SignAsync(deployment, officer, (who, text) => signing.SignAsync(who, password, code, text), stopping);

    /// <summary>Signs with the passkey's answer as proof, which the page has just asked for.</summary>
    /// <inheritdoc cref="SignAsync(Guid, Guid, string, string, CancellationToken)"/>
    public Task SignByPasskeyAsync(Guid deployment, Guid officer, CancellationToken stopping = default) =>
        SignAsync(deployment, officer, (who, text) => Task.FromResult(signing.SignByPasskey(who, text)), stopping);

    /// <summary>Takes an authority back for good; a deployment that runs under it is stopped by that.</summary>
    /// <param name="actor">Its drafter or its authorising officer.</param>
    /// <param name="deployment">One that has not ended.</param>
    /// <param name="reason">In words, for the audit.</param>
    /// <param name="stopping">Before it is kept.</param>
    /// <exception cref="AuthorityException">It is not theirs, or has ended.</exception>
    public Task WithdrawAsync(Actor actor, Guid deployment, string reason, CancellationToken stopping = default) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        DeploymentRecord record = await FindAsync(store, deployment, stopping);
        if (record.State is DeploymentState.Ended or DeploymentState.Withdrawn)
            throw new AuthorityException([$"The deployment is {record.State.ToString().ToLowerInvariant()} already."]);
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > LongestLine)
            throw new AuthorityException([$"A withdrawal needs a reason of 1 to {LongestLine} characters."]);
        if (actor.OfficerId != record.DraftedBy && actor.OfficerId != record.SignedBy && !await IsAuthorisingOfficerAsync(actor.OfficerId))
            throw new AuthorityException(["Only who drafted it and authorising officers can withdraw an authority."]);
        record.State = DeploymentState.Withdrawn;
        record.StateReason = reason.Trim();
        entries.Note(Withdrawn, Subject(deployment), new { Reason = reason.Trim() });
    }, stopping);

    /// <summary>The authority of a deployment.</summary>
    /// <exception cref="JsonException">Its text is no authority any more.</exception>
    public static Authority Of(DeploymentRecord record) => Authority.Parse(record.AuthorityText);

    /// <summary>The same, or null where the text is no authority any more.</summary>
    public static Authority? TryRead(DeploymentRecord record)
    {
        try
        {
            return Of(record);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Why a deployment may not run now: every reason in words; empty when it may.</summary>
    public async Task<IReadOnlyList<string>> RefusalsAsync(Guid deployment, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord? record = await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == deployment, stopping);
        if (record is null)
            return ["There is no such deployment."];
        var reasons = new List<string>();
        AuditEntry[] trail = await store.Audit.AsNoTracking().Where(e => e.Subject == Subject(deployment)).OrderBy(e => e.Sequence).ToArrayAsync(stopping);
        // The trail decides: a state set back in the store does not bring an authority back.
        if (record.State == DeploymentState.Withdrawn || trail.Any(e => e.Action == Withdrawn))
            reasons.Add("The authority has been withdrawn.");
        if (record.State == DeploymentState.Ended)
            reasons.Add("The deployment has ended.");
        Authority authority;
        try
        {
            authority = Of(record);
        }
        catch (JsonException e)
        {
            return [.. reasons, $"The authority's text has been altered and cannot be read: {e.Message}"];
        }
        if (record.State == DeploymentState.Draft && record.Signature is null)
            reasons.Add($"The authority is a draft: {authority.AuthorisingOfficer.Name} has not signed it.");
        else
            CheckSignature(record, authority, trail, reasons);
        CheckRow(record, authority, reasons);
        DateTimeOffset now = time.GetUtcNow();
        if (now < authority.Start)
            reasons.Add($"The authority begins at {Show(authority.Start)}; it is {Show(now)}.");
        if (now >= authority.End)
            reasons.Add($"The authority ended at {Show(authority.End)}; it is {Show(now)}.");
        await CheckContentAsync(store, authority, reasons, stopping);
        return reasons;
    }

    /// <summary>Officers who may sign.</summary>
    public async Task<IReadOnlyList<NamedOfficer>> AuthorisingOfficersAsync()
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        IList<Officer> officers = await scope.ServiceProvider.GetRequiredService<UserManager<Officer>>().GetUsersInRoleAsync(Roles.AuthorisingOfficer);
        return [.. officers.Where(o => !o.Disabled).OrderBy(o => o.DisplayName, StringComparer.Ordinal).Select(o => new NamedOfficer(o.Id, o.DisplayName))];
    }

    /// <summary>The task of the model that makes embeddings, in an authority.</summary>
    public const string EmbedderTask = "embedder";

    /// <summary>The embedder that runs here.</summary>
    public ModelManifest Embedder => catalog.Find(installation.Embedder, ModelTask.Embed);

    /// <summary>An instant in this installation's time zone, as people read it.</summary>
    public string Show(DateTimeOffset at) => FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(at, time.LocalTimeZone):yyyy-MM-dd HH:mm zzz}");

    private async Task SignAsync(Guid deployment, Guid officer, Func<Officer, byte[], Task<string>> sign, CancellationToken stopping)
    {
        Officer who;
        DeploymentRecord before;
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
        {
            before = await FindAsync(store, deployment, stopping);
            who = await store.Users.AsNoTracking().FirstOrDefaultAsync(o => o.Id == officer, stopping) ?? throw new AuthorityException(["There is no such officer."]);
            await CheckSignableAsync(store, before, who, stopping);
        }
        // The proof is asked for last, and outside of the change: a refused proof is an entry of its own.
        string signature = await sign(who, Encoding.UTF8.GetBytes(before.AuthorityText));
        await journal.ChangeAsync(new Actor(who.Id.ToString(), who.DisplayName), async (store, entries) =>
        {
            DeploymentRecord record = await FindAsync(store, deployment, stopping);
            if (record.AuthorityText != before.AuthorityText)
                throw new AuthorityException(["The text has changed while it was being signed."]);
            Authority authority = await CheckSignableAsync(store, record, who, stopping);
            record.State = DeploymentState.Signed;
            record.SignedBy = who.Id;
            record.SignedAt = ToMicroseconds(time.GetUtcNow());
            record.Signature = signature;
            record.SignerPublicKey = who.SigningPublicKey;
            entries.Note(Signed, Subject(deployment), new
            {
                authority.Name,
                Type = authority.DeploymentType,
                Date = DateOf(authority),
                Cameras = authority.Cameras.Select(c => c.Name),
                WatchlistPeople = authority.Watchlist.People,
                Thresholds = authority.Categories.ToDictionary(c => c.Category.Name(), c => c.Threshold),
                SignerRole = Roles.AuthorisingOfficer,
                Proof = ProofOf(record),
            });
        }, stopping);
    }

    // What the trail keeps of a signature: whoever alters the row must forge the sealed trail too.
    private static string ProofOf(DeploymentRecord record) =>
        Authority.HashOf(string.Join('\n', record.SignedBy, record.SignedAt?.UtcTicks, Authority.HashOf(record.AuthorityText), record.Signature, record.SignerPublicKey));

    private static void CheckSignature(DeploymentRecord record, Authority authority, AuditEntry[] trail, List<string> reasons)
    {
        if (record is not { Signature: not null, SignerPublicKey: not null, SignedBy: { } signer, SignedAt: not null })
        {
            reasons.Add("The authority bears no signature.");
            return;
        }
        try
        {
            using ECDsa key = InstallationKey.FromPem(record.SignerPublicKey);
            if (!key.VerifyData(Encoding.UTF8.GetBytes(record.AuthorityText), Convert.FromBase64String(record.Signature), HashAlgorithmName.SHA256))
                reasons.Add("The authority has been altered since it was signed: the signature does not fit its text.");
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            reasons.Add("The authority's signature or its key has been altered and cannot be read.");
        }
        if (signer == authority.Drafter.Id)
            reasons.Add($"The authority was drafted and signed by the same person, {authority.Drafter.Name}.");
        if (signer != authority.AuthorisingOfficer.Id)
            reasons.Add($"The authority was signed by somebody else than {authority.AuthorisingOfficer.Name}, whom it names.");
        AuditEntry[] entries = [.. trail.Where(e => e.Action == Signed)];
        if (entries is not [{ } entry])
            reasons.Add(entries.Length == 0 ? "The audit trail knows of no signature." : "The audit trail knows of more than one signature.");
        else if (AuditChain.HashOf(entry) != entry.Hash)
            reasons.Add($"The entry of the signature in the audit trail ({entry.Sequence}) has been altered.");
        else if (entry.ActorId != signer.ToString() || !Says(entry.Details, "signerRole", Roles.AuthorisingOfficer) || !Says(entry.Details, "proof", ProofOf(record)))
            reasons.Add($"The signature is not the one in the audit trail (entry {entry.Sequence}): text, signature, key, signer or time have been altered.");
    }

    private static bool Says(string details, string property, string value)
    {
        using JsonDocument document = JsonDocument.Parse(details);
        return document.RootElement.TryGetProperty(property, out JsonElement said) && said.ValueKind == JsonValueKind.String && said.GetString() == value;
    }

    private void CheckRow(DeploymentRecord record, Authority authority, List<string> reasons)
    {
        if (authority.Deployment != record.Id)
            reasons.Add("The authority was made for another deployment.");
        if (authority.Watchlist.Id != record.WatchlistId)
            reasons.Add("The deployment points to another watchlist than its authority.");
        if (authority.Name != record.Name || authority.Drafter.Id != record.DraftedBy || authority.DraftedAt != record.DraftedAt)
            reasons.Add("Name, drafter or time of the draft differ from the authority: the record has been altered.");
        if (record.SignedAt > time.GetUtcNow())
            reasons.Add($"The authority was signed at {Show(record.SignedAt.Value)}, which this machine's clock has not reached: the clock has been set back.");
    }

    // What must be here and now as it stands in the text.
    private async Task CheckContentAsync(LfrStore store, Authority authority, List<string> reasons, CancellationToken stopping)
    {
        foreach (AuthorisedCamera camera in authority.Cameras)
        {
            CameraConfig? configured = installation.Config.Cameras.FirstOrDefault(c => c.Name == camera.Name);
            if (configured is null)
                reasons.Add($"The camera {camera.Name} is not configured.");
            else if (Authority.SourceHash(configured) != camera.SourceSha256)
                reasons.Add($"The camera {camera.Name} is configured with another source than the authorised one.");
        }
        WatchlistRecord? watchlist = await store.Watchlists.AsNoTracking().FirstOrDefaultAsync(w => w.Id == authority.Watchlist.Id, stopping);
        if (WatchlistFault(watchlist, authority.Watchlist.Name) is { } fault)
            reasons.Add(fault);
        else if (watchlist!.FileSha256 != authority.Watchlist.FileSha256 || watchlist.People != authority.Watchlist.People)
            reasons.Add($"The watchlist {authority.Watchlist.Name} is not the authorised one: its record has been altered.");
        IReadOnlyList<(AuthorisedModel Model, string? Fault)> models = Models();
        foreach ((AuthorisedModel model, string? modelFault) in models)
        {
            if (modelFault is not null)
                reasons.Add(modelFault);
            else if (authority.Models.FirstOrDefault(m => m.Task == model.Task) is { } authorised && authorised.Sha256 != model.Sha256)
                reasons.Add($"The {model.Task} that runs here ({model.Id}, {EvidenceShelf.Short(model.Sha256)}) is not the authorised one.");
        }
        // Nobody signed for these: earlier versions of this program named three models.
        string[] unnamed = [.. models.Select(m => m.Model).Where(m => authority.Models.All(a => a.Task != m.Task)).Select(m => $"the {m.Task} ({m.Id})")];
        if (unnamed.Length > 0)
            reasons.Add($"The authority does not name every model that decides here: {string.Join(", ", unnamed)}. It may have been drafted by an earlier version of this program. Draft it anew and have it signed.");
        foreach (AuthorisedCategory category in authority.Categories)
        {
            AuthorisedEvidence told = category.Evidence;
            if (evidence.Find(told.FileSha256) is not { } file)
                reasons.Add($"The evidence {told.FileName} for {category.Category.Name()} is missing or has been altered.");
            else if (file.Document is null)
                reasons.Add($"The evidence {file.FileName} for {category.Category.Name()} is not to be believed: {file.Fault}");
            else if (EvidenceShelf.Cover(category.Threshold, file.FileName, file.Document, authority.Watchlist.People, authority.PassersBy, EmbedderHash(models), out string? uncovered) is null)
                reasons.Add(uncovered!);
        }
    }

    private static string EmbedderHash(IReadOnlyList<(AuthorisedModel Model, string? Fault)> models) => models.First(m => m.Model.Task == EmbedderTask).Model.Sha256;

    private string? WatchlistFault(WatchlistRecord? watchlist, string name)
    {
        if (watchlist is null)
            return $"The watchlist {name} does not exist.";
        if (watchlist.State == WatchlistState.Destroyed)
            return $"The watchlist {watchlist.Name} is destroyed.";
        if (watchlist.State != WatchlistState.Built || watchlist.FileSha256 is null || watchlist.People == 0)
            return $"The watchlist {watchlist.Name} is not built.";
        string? hash = hashes.Of(installation.DataPath("watchlists", $"{watchlist.Id:N}.lfr"));
        return hash is null ? $"The file of the watchlist {watchlist.Name} is missing."
            : hash != watchlist.FileSha256 ? $"The file of the watchlist {watchlist.Name} is not the one that was built: it has been altered or exchanged."
            : watchlist.EmbedderSha256 != Embedder.Sha256 ? $"The watchlist {watchlist.Name} was built with another embedder than the one that runs here."
            : null;
    }

    // Every model that has a say in who raises an alert.
    private IReadOnlyList<(AuthorisedModel Model, string? Fault)> Models()
    {
        return [.. s_tasks.Zip(EngineModels.Find(catalog, installation.Detector, embedder: installation.Embedder), Of)];

        (AuthorisedModel, string?) Of(string task, ModelManifest manifest)
        {
            string? hash = hashes.Of(catalog.FileOf(manifest));
            return (new AuthorisedModel(task, manifest.Id, manifest.Sha256),
                hash is null ? $"The {task} {manifest.Id} is missing; `lfr models restore` fetches it." : hash != manifest.Sha256 ? $"The file of the {task} {manifest.Id} has been altered; `lfr models restore` fetches it again." : null);
        }
    }

    private async Task<Authority> CheckSignableAsync(LfrStore store, DeploymentRecord record, Officer officer, CancellationToken stopping)
    {
        if (record.State != DeploymentState.Draft)
            throw new AuthorityException([$"Only a draft can be signed; this deployment is {record.State.ToString().ToLowerInvariant()}."]);
        Authority authority;
        try
        {
            authority = Of(record);
        }
        catch (JsonException e)
        {
            throw new AuthorityException([$"The authority's text has been altered and cannot be read: {e.Message}"]);
        }
        var reasons = new List<string>();
        if (officer.Id == authority.Drafter.Id || officer.Id == record.DraftedBy)
            reasons.Add("Who drafted an authority cannot sign it: it takes a second person.");
        if (officer.Id != authority.AuthorisingOfficer.Id)
            reasons.Add($"The authority names {authority.AuthorisingOfficer.Name}, who alone can sign it.");
        if (officer.Disabled || !await IsAuthorisingOfficerAsync(officer.Id))
            reasons.Add($"{officer.DisplayName} is not an authorising officer.");
        AuditEntry? drafted = await store.Audit.AsNoTracking().FirstOrDefaultAsync(e => e.Subject == Subject(record.Id) && e.Action == Drafted, stopping);
        if (drafted is null || AuditChain.HashOf(drafted) != drafted.Hash || !Says(drafted.Details, "textSha256", Authority.HashOf(record.AuthorityText)))
            reasons.Add("The draft is not the one in the audit trail: its text has been altered.");
        if (time.GetUtcNow() >= authority.End)
            reasons.Add($"The authority's time is over since {Show(authority.End)}.");
        // A list is composed for one deployment.
        DeploymentState[] used = [DeploymentState.Signed, DeploymentState.Running, DeploymentState.Paused, DeploymentState.Ended];
        if (await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id != record.Id && d.WatchlistId == record.WatchlistId && used.Contains(d.State), stopping) is { } other)
            reasons.Add($"The watchlist {authority.Watchlist.Name} belongs to the deployment {other.Name}; build one for this deployment.");
        CheckRow(record, authority, reasons);
        await CheckContentAsync(store, authority, reasons, stopping);
        return reasons.Count == 0 ? authority : throw new AuthorityException(reasons);
    }

    private async Task<Authority> MakeAsync(LfrStore store, Guid id, Actor drafter, AuthorityDraft draft, CancellationToken stopping)
    {
        var reasons = new List<string>();
        string Text(string value, string what, int longest)
        {
            value = value.Trim();
            if (value.Length == 0 || value.Length > longest)
                reasons.Add($"{what}: 1 to {longest} characters.");
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
            reasons.Add($"An authority covers {MostHours} hours at the most.");
        else if (end <= now)
            reasons.Add($"The end, {Show(end)}, is over already.");
        if (draft.PassersBy is < 1 or > 10_000_000)
            reasons.Add("People expected to pass: 1 to 10000000.");

        if (draft.Cameras.Count == 0 || draft.Cameras.Distinct().Count() != draft.Cameras.Count)
            reasons.Add("Cameras: at least one, each once.");
        var cameras = new List<AuthorisedCamera>();
        foreach (string wanted in draft.Cameras)
        {
            if (installation.Config.Cameras.FirstOrDefault(c => c.Name == wanted) is { } camera)
                cameras.Add(new AuthorisedCamera(camera.Name, Authority.SourceHash(camera)));
            else
                reasons.Add($"The camera {wanted} is not configured.");
        }

        WatchlistRecord? watchlist = await store.Watchlists.AsNoTracking().FirstOrDefaultAsync(w => w.Id == draft.WatchlistId, stopping);
        if (draft.WatchlistId == Guid.Empty)
            reasons.Add("Choose a watchlist.");
        else if (WatchlistFault(watchlist, draft.WatchlistId.ToString()) is { } fault)
            reasons.Add(fault);
        IReadOnlyList<(AuthorisedModel Model, string? Fault)> models = Models();
        reasons.AddRange(models.Select(m => m.Fault).OfType<string>());
        List<AuthorisedCategory> categories = Categories(draft, watchlist?.People ?? 0, EmbedderHash(models), reasons);
        foreach (WatchlistCategory listed in await store.People.Where(p => p.WatchlistId == draft.WatchlistId).Select(p => p.Category).Distinct().ToArrayAsync(stopping))
        {
            if (draft.Categories.All(c => c.Category != listed))
                reasons.Add($"The watchlist holds people of the category {listed.Name()}, which the authority does not name.");
        }

        NamedOfficer? officer = (await AuthorisingOfficersAsync()).FirstOrDefault(o => o.Id == draft.AuthorisingOfficer);
        if (officer is null)
            reasons.Add("Choose an authorising officer.");
        else if (officer.Id == drafter.OfficerId)
            reasons.Add("Who drafts an authority cannot sign it: name another authorising officer.");
        if (reasons.Count > 0)
            throw new AuthorityException(reasons);
        return new Authority(Authority.CurrentFormat, id, name, purpose, type, place, start, end, cameras,
            new AuthorisedWatchlist(watchlist!.Id, watchlist.Name, watchlist.People, watchlist.FileSha256!), draft.PassersBy, categories,
            [.. models.Select(m => m.Model)], assessments, officer!, new NamedOfficer(drafter.OfficerId, drafter.Name), now);
    }

    private List<AuthorisedCategory> Categories(AuthorityDraft draft, int people, string embedderSha256, List<string> reasons)
    {
        var made = new List<AuthorisedCategory>();
        if (draft.Categories.Count == 0)
            reasons.Add("Categories: at least one.");
        foreach (CategoryDraft wanted in draft.Categories)
        {
            string name = wanted.Category.Name(), response = wanted.Response.Trim();
            if (draft.Categories.Count(c => c.Category == wanted.Category) > 1)
                reasons.Add($"{name}: named twice.");
            if (response.Length is 0 or > LongestText)
                reasons.Add($"{name}, response: 1 to {LongestText} characters.");
            double threshold = Math.Round(wanted.Threshold, 4);
            if (!(threshold is > 0 and <= 1))
                reasons.Add($"{name}: a threshold lies between 0 and 1.");
            else if (evidence.Find(wanted.EvidenceSha256) is not { } file)
                reasons.Add($"{name}: choose an evidence file.");
            else if (file.Document is null)
                reasons.Add($"{name}: the evidence {file.FileName} is not to be believed: {file.Fault}");
            // Without people there is nothing to expect; the watchlist's fault is told already.
            else if (people > 0 && draft.PassersBy > 0)
            {
                if (EvidenceShelf.Cover(threshold, file.FileName, file.Document, people, draft.PassersBy, embedderSha256, out string? fault) is var (point, expected))
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

    private async Task<bool> IsAuthorisingOfficerAsync(Guid officer) => (await AuthorisingOfficersAsync()).Any(o => o.Id == officer);

    private static async Task<DeploymentRecord> FindAsync(LfrStore store, Guid deployment, CancellationToken stopping) =>
        await store.Deployments.FirstOrDefaultAsync(d => d.Id == deployment, stopping) ?? throw new AuthorityException(["There is no such deployment."]);

    private string DateOf(Authority authority) => FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(authority.Start, time.LocalTimeZone):yyyy-MM-dd}");

    private static string Subject(Guid deployment) => $"deployment/{deployment}";

    // As precise as the store is.
    private static DateTimeOffset ToMicroseconds(DateTimeOffset at) => new(at.UtcTicks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
}
