using System.Text;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Authorities;

/// <summary>Authorities: drafted by one person, signed by another, enforced by the engine.</summary>
/// <remarks>The text is made when the authority is drafted, and made anew when its drafter changes it. Once it is signed it never changes: a change needs a new draft. If the audit trail and the row in the store disagree, the deployment does not run.</remarks>
internal sealed class AuthorityService(
    IDbContextFactory<LfrStore> stores, Journal journal, AuthorityDrafting drafting, AuthorityPresent present, OfficerSigning signing, IServiceScopeFactory scopes, TimeProvider time)
{
    private const int LongestReason = 300;

    private const string Drafted = "deployment.drafted", Withdrawn = "deployment.withdrawn", FormDeleted = "deployment.form-deleted";

    /// <summary>Drafts an authority, or a draft anew that is not signed yet.</summary>
    /// <param name="drafter">An officer, not the engine.</param>
    /// <param name="draft">The requested content.</param>
    /// <param name="deployment">Of the form or of the earlier draft; null for a new one.</param>
    /// <param name="stopping">Cancels before the draft is stored.</param>
    /// <returns>The deployment's id.</returns>
    /// <exception cref="AuthorityException">Something is missing, contradicts itself, or is not covered by evidence; every reason. Or the earlier draft is not the drafter's, or is signed.</exception>
    public async Task<Guid> DraftAsync(Actor drafter, AuthorityDraft draft, Guid? deployment = null, CancellationToken stopping = default)
    {
        Guid id = deployment ?? Guid.NewGuid();
        return await journal.ChangeAsync(drafter, async (store, entries) =>
        {
            DeploymentRecord? earlier = await store.Deployments.FirstOrDefaultAsync(d => d.Id == id, stopping);
            CheckEditable(drafter, earlier);
            Authority authority = await drafting.MakeAsync(store, id, drafter, draft, await AuthorisingOfficersAsync(), stopping);
            string text = authority.ToText();
            if (earlier is null)
            {
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
            }
            else
            {
                (earlier.Name, earlier.WatchlistId, earlier.AuthorityText, earlier.DraftedAt) = (authority.Name, authority.Watchlist.Id, text, authority.DraftedAt);
            }
            await store.AuthorityForms.Where(f => f.Id == id).ExecuteDeleteAsync(stopping);
            entries.Note(Drafted, Subject(id), new { authority.Name, Type = authority.DeploymentType, Date = DateOf(authority), TextSha256 = Authority.HashOf(text), authority.Identities });
            return id;
        }, stopping);
    }

    /// <summary>What is wrong with a draft; empty if nothing. Nothing is stored.</summary>
    public async Task<IReadOnlyList<DraftFault>> FaultsAsync(Actor drafter, AuthorityDraft draft, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        try
        {
            await drafting.MakeAsync(store, Guid.Empty, drafter, draft, await AuthorisingOfficersAsync(), stopping);
            return [];
        }
        catch (AuthorityException e)
        {
            return e.Faults;
        }
    }

    /// <summary>Keeps a form as it is typed. It is not in the audit trail: only what is given to be signed is.</summary>
    /// <exception cref="AuthorityException">It belongs to another officer, or is signed.</exception>
    public Task SaveFormAsync(Actor drafter, Guid id, AuthorityForm form, CancellationToken stopping = default) => journal.ChangeAsync(drafter, async (store, _) =>
    {
        CheckEditable(drafter, await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, stopping));
        AuthorityFormRecord? record = await store.AuthorityForms.FirstOrDefaultAsync(f => f.Id == id, stopping);
        CheckOwn(drafter, record);
        if (record is null)
            store.AuthorityForms.Add(record = new AuthorityFormRecord { Id = id, OfficerId = drafter.OfficerId, Name = "", Text = "" });
        (record.Name, record.Text, record.SavedAt) = (form.Name.Trim(), JsonSerializer.Serialize(form), AuthorityDrafting.ToMicroseconds(time.GetUtcNow()));
    }, stopping);

    /// <summary>A form that was kept; null if there is none.</summary>
    /// <exception cref="AuthorityException">It belongs to another officer, or is signed.</exception>
    public async Task<AuthorityForm?> FormAsync(Actor drafter, Guid id, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        CheckEditable(drafter, await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == id, stopping));
        AuthorityFormRecord? record = await store.AuthorityForms.AsNoTracking().FirstOrDefaultAsync(f => f.Id == id, stopping);
        CheckOwn(drafter, record);
        return record is null ? null : JsonSerializer.Deserialize<AuthorityForm>(record.Text);
    }

    /// <summary>Forgets a form.</summary>
    public Task DiscardFormAsync(Actor drafter, Guid id, CancellationToken stopping = default) => journal.ChangeAsync(drafter, async (store, _) =>
        await store.AuthorityForms.Where(f => f.Id == id && f.OfficerId == drafter.OfficerId).ExecuteDeleteAsync(stopping), stopping);

    /// <summary>Deletes the forms that nobody has changed since a time.</summary>
    public async Task DeleteFormsAsync(DateTimeOffset since, CancellationToken stopping)
    {
        await using (LfrStore store = await stores.CreateDbContextAsync(stopping))
        {
            if (!await store.AuthorityForms.AnyAsync(f => f.SavedAt <= since, stopping))
                return;
        }
        await journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            AuthorityFormRecord[] old = await store.AuthorityForms.Where(f => f.SavedAt <= since).ToArrayAsync(stopping);
            store.AuthorityForms.RemoveRange(old);
            foreach (AuthorityFormRecord form in old)
                entries.Note(FormDeleted, Subject(form.Id), new { form.SavedAt });
        }, stopping);
    }

    /// <summary>Signs an authority with password and one-time code as proof.</summary>
    /// <param name="deployment">A draft.</param>
    /// <param name="officer">The officer whom the authority names.</param>
    /// <param name="password">As typed.</param>
    /// <param name="code">Of the authenticator app, as typed.</param>
    /// <param name="stopping">Cancels before the signature is stored.</param>
    /// <exception cref="AuthorityException">It may not be signed, or not by this officer; every reason.</exception>
    /// <exception cref="ProofRefusedException">The proof is not valid.</exception>
    public Task SignAsync(Guid deployment, Guid officer, string password, string code, CancellationToken stopping = default) =>
        SignAsync(deployment, officer, (who, text) => signing.SignAsync(who, password, code, text), stopping);

    /// <summary>Signs with a passkey's response as proof.</summary>
    /// <inheritdoc cref="SignAsync(Guid, Guid, string, string, CancellationToken)"/>
    public Task SignByPasskeyAsync(Guid deployment, Guid officer, CancellationToken stopping = default) =>
        SignAsync(deployment, officer, (who, text) => Task.FromResult(signing.SignByPasskey(who, text)), stopping);

    /// <summary>Withdraws an authority permanently; a running deployment stops.</summary>
    /// <param name="actor">Its drafter or its authorising officer.</param>
    /// <param name="deployment">One that has not ended.</param>
    /// <param name="reason">In words, for the audit.</param>
    /// <param name="stopping">Cancels before it is stored.</param>
    /// <exception cref="AuthorityException">The authority is not the actor's, or has ended.</exception>
    public Task WithdrawAsync(Actor actor, Guid deployment, string reason, CancellationToken stopping = default) => journal.ChangeAsync(actor, async (store, entries) =>
    {
        DeploymentRecord record = await FindAsync(store, deployment, stopping);
        if (record.State is DeploymentState.Ended or DeploymentState.Withdrawn)
            throw new AuthorityException([$"The deployment is already {record.State.ToString().ToLowerInvariant()}."]);
        if (string.IsNullOrWhiteSpace(reason) || reason.Length > LongestReason)
            throw new AuthorityException([$"A withdrawal needs a reason of 1 to {LongestReason} characters."]);
        if (actor.OfficerId != record.DraftedBy && actor.OfficerId != record.SignedBy && !await IsAuthorisingOfficerAsync(actor.OfficerId))
            throw new AuthorityException(["Only its drafter and authorising officers can withdraw an authority."]);
        await store.AuthorityForms.Where(f => f.Id == deployment).ExecuteDeleteAsync(stopping);
        record.State = DeploymentState.Withdrawn;
        record.StateReason = reason.Trim();
        entries.Note(Withdrawn, Subject(deployment), new { Reason = reason.Trim() });
    }, stopping);

    /// <summary>The authority of a deployment.</summary>
    /// <exception cref="JsonException">Its text is not an authority any more.</exception>
    public static Authority Of(DeploymentRecord record) => Authority.Parse(record.AuthorityText);

    /// <summary>The same, or null if the text is not an authority any more.</summary>
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

    /// <summary>Why a deployment may not run now: every reason in words; empty if it may.</summary>
    public async Task<IReadOnlyList<string>> RefusalsAsync(Guid deployment, CancellationToken stopping = default)
    {
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        DeploymentRecord? record = await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id == deployment, stopping);
        if (record is null)
            return ["There is no such deployment."];
        var reasons = new List<string>();
        AuditEntry[] trail = await store.Audit.AsNoTracking().Where(e => e.Subject == Subject(deployment)).OrderBy(e => e.Sequence).ToArrayAsync(stopping);
        // The trail decides: resetting the state in the store does not make a withdrawn authority valid again.
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
            return [.. reasons, $"The authority's text has been altered and cannot be read. {JsonTrouble.Words("The text", e)}"];
        }
        if (record.State == DeploymentState.Draft && record.Signature is null)
            reasons.Add($"The authority is a draft: {authority.AuthorisingOfficer.Name} has not signed it.");
        else
            SignatureProof.Check(record, authority, trail, reasons);
        CheckRow(record, authority, reasons);
        DateTimeOffset now = time.GetUtcNow();
        if (now < authority.Start)
            reasons.Add($"The authority begins at {Show(authority.Start)}; it is {Show(now)}.");
        if (now >= authority.End)
            reasons.Add($"The authority ended at {Show(authority.End)}; it is {Show(now)}.");
        await present.CheckAsync(store, authority, reasons, stopping);
        return reasons;
    }

    public async Task<IReadOnlyList<NamedOfficer>> AuthorisingOfficersAsync()
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        IList<Officer> officers = await scope.ServiceProvider.GetRequiredService<UserManager<Officer>>().GetUsersInRoleAsync(Roles.AuthorisingOfficer);
        return [.. officers.Where(o => !o.Disabled).OrderBy(o => o.DisplayName, StringComparer.Ordinal).Select(o => new NamedOfficer(o.Id, o.DisplayName))];
    }

    /// <summary>An instant in this installation's time zone, as people read it.</summary>
    private string Show(DateTimeOffset at) => LocalTime.Show(at, time.LocalTimeZone);

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
        // The proof is checked last and outside the transaction: a refused proof has its own audit entry.
        string signature = await sign(who, Encoding.UTF8.GetBytes(before.AuthorityText));
        await journal.ChangeAsync(new Actor(who.Id.ToString(), who.DisplayName), async (store, entries) =>
        {
            DeploymentRecord record = await FindAsync(store, deployment, stopping);
            if (record.AuthorityText != before.AuthorityText)
                throw new AuthorityException(["The text has changed while it was being signed."]);
            Authority authority = await CheckSignableAsync(store, record, who, stopping);
            record.State = DeploymentState.Signed;
            record.SignedBy = who.Id;
            record.SignedAt = AuthorityDrafting.ToMicroseconds(time.GetUtcNow());
            record.Signature = signature;
            record.SignerPublicKey = who.SigningPublicKey;
            await store.AuthorityForms.Where(f => f.Id == deployment).ExecuteDeleteAsync(stopping);
            entries.Note(SignatureProof.Action, Subject(deployment), new
            {
                authority.Name,
                Type = authority.DeploymentType,
                Date = DateOf(authority),
                Cameras = authority.Cameras.Select(c => c.Name),
                WatchlistPeople = authority.Watchlist.People,
                Thresholds = authority.Categories.ToDictionary(c => c.Category.Name(), c => c.Threshold),
                SignerRole = Roles.AuthorisingOfficer,
                authority.Identities,
                Proof = SignatureProof.Of(record),
            });
        }, stopping);
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
            throw new AuthorityException([$"The authority's text has been altered and cannot be read. {JsonTrouble.Words("The text", e)}"]);
        }
        var reasons = new List<string>();
        if (officer.Id == authority.Drafter.Id || officer.Id == record.DraftedBy)
            reasons.Add("The drafter of an authority cannot sign it: a second person must.");
        if (officer.Id != authority.AuthorisingOfficer.Id)
            reasons.Add($"Only {authority.AuthorisingOfficer.Name}, whom the authority names, can sign it.");
        if (officer.Disabled || !await IsAuthorisingOfficerAsync(officer.Id))
            reasons.Add($"{officer.DisplayName} is not an authorising officer.");
        AuditEntry? drafted = await store.Audit.AsNoTracking().Where(e => e.Subject == Subject(record.Id) && e.Action == Drafted).OrderByDescending(e => e.Sequence).FirstOrDefaultAsync(stopping);
        if (drafted is null || AuditChain.HashOf(drafted) != drafted.Hash || !SignatureProof.Says(drafted.Details, "textSha256", Authority.HashOf(record.AuthorityText)))
            reasons.Add("The draft is not the one in the audit trail: its text has been altered.");
        if (time.GetUtcNow() >= authority.End)
            reasons.Add($"The authority ended at {Show(authority.End)}.");
        // Each list is made for one deployment.
        DeploymentState[] used = [DeploymentState.Signed, DeploymentState.Running, DeploymentState.Paused, DeploymentState.Ended];
        if (await store.Deployments.AsNoTracking().FirstOrDefaultAsync(d => d.Id != record.Id && d.WatchlistId == record.WatchlistId && used.Contains(d.State), stopping) is { } other)
            reasons.Add($"The watchlist {authority.Watchlist.Name} belongs to the deployment {other.Name}; build one for this deployment.");
        CheckRow(record, authority, reasons);
        await present.CheckAsync(store, authority, reasons, stopping);
        return reasons.Count == 0 ? authority : throw new AuthorityException(reasons);
    }

    private static void CheckEditable(Actor drafter, DeploymentRecord? record)
    {
        if (record is not null && record.State != DeploymentState.Draft)
            throw new AuthorityException([$"The authority can no longer be changed: the deployment is {record.State.ToString().ToLowerInvariant()}. Use it as a new draft."]);
        if (record is not null && record.DraftedBy != drafter.OfficerId)
            throw new AuthorityException(["Only its drafter can change a draft. Use it as a new draft."]);
    }

    private static void CheckOwn(Actor drafter, AuthorityFormRecord? form)
    {
        if (form is not null && form.OfficerId != drafter.OfficerId)
            throw new AuthorityException(["Only its drafter can change a draft."]);
    }

    private void CheckRow(DeploymentRecord record, Authority authority, List<string> reasons)
    {
        if (authority.Deployment != record.Id)
            reasons.Add("The authority was made for another deployment.");
        if (authority.Watchlist.Id != record.WatchlistId)
            reasons.Add("The deployment's watchlist is not the one in its authority.");
        if (authority.Name != record.Name || authority.Drafter.Id != record.DraftedBy || authority.DraftedAt != record.DraftedAt)
            reasons.Add("Name, drafter or time of the draft differ from the authority: the record has been altered.");
        if (record.SignedAt > time.GetUtcNow())
            reasons.Add($"The authority was signed at {Show(record.SignedAt.Value)}, which this machine's clock has not reached: the clock has been set back.");
    }

    private async Task<bool> IsAuthorisingOfficerAsync(Guid officer) => (await AuthorisingOfficersAsync()).Any(o => o.Id == officer);

    private static async Task<DeploymentRecord> FindAsync(LfrStore store, Guid deployment, CancellationToken stopping) =>
        await store.Deployments.FirstOrDefaultAsync(d => d.Id == deployment, stopping) ?? throw new AuthorityException(["There is no such deployment."]);

    private string DateOf(Authority authority) => FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(authority.Start, time.LocalTimeZone):yyyy-MM-dd}");

    private static string Subject(Guid deployment) => $"deployment/{deployment}";
}
