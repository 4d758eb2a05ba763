using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;

namespace LfrEngine.Records.Disclosure;

/// <summary>Makes the disclosure bundle of an alert: everything that a court needs to judge it, in one signed file.</summary>
internal sealed class DisclosureMaker(Installation installation, InstallationKey key, IDbContextFactory<LfrStore> stores, Journal journal, AuditSealer sealer, KeyVault vault,
    EvidenceShelf evidence, PolicyShelf policies, ReceiptShelf receipts, TimeProvider time)
{
    /// <summary>Maximum length of a reason, characters.</summary>
    public const int LongestReason = 500;

    private static readonly Dictionary<string, string> WhyErased = new()
    {
        ["rejected"] = "An officer judged that the alert was wrong; its pictures are then erased at once.",
        ["time-up"] = "The time for which they may be kept was over.",
        ["clock-lost"] = "The clock of the machine could not be relied on, so they were erased early.",
        ["key-lost"] = "The key with which they were encrypted was lost.",
    };

    /// <summary>Makes a bundle and records it in the audit trail.</summary>
    /// <param name="actor">Who discloses.</param>
    /// <param name="alertId">An alert that joined no other.</param>
    /// <param name="reason">What for, such as the number of the case. Names nobody.</param>
    /// <param name="stopping">Cancels; nothing is recorded.</param>
    /// <returns>Owned by the caller. Null if there is no such alert.</returns>
    /// <exception cref="CommandFailure">The alert cannot be disclosed.</exception>
    public async Task<DisclosureBundle?> MakeAsync(Actor actor, Guid alertId, string reason, CancellationToken stopping)
    {
        reason = reason.Trim();
        if (reason.Length is 0 or > LongestReason || !Shown.IsPlain(reason))
            throw new CommandFailure(ExitCode.Usage, $"Give a reason of one line, at most {LongestReason} characters, such as the number of the case.");
        await using LfrStore store = await stores.CreateDbContextAsync(stopping);
        AlertRecord? alert;
        AuditEntry[] trail;
        AuditSeal[] seals;
        long before;
        do
        {
            before = await store.Audit.MaxAsync(e => (long?)e.Sequence, stopping) ?? 0;
            alert = await store.Alerts.AsNoTracking().Include(a => a.Events.OrderBy(e => e.Id)).SingleOrDefaultAsync(a => a.Id == alertId, stopping);
            if (alert is null)
                return null;
            await sealer.SealAsync(stopping);
            (trail, seals) = Trail(store);
        }
        // The alert has changed meanwhile: the trail would say more than it.
        while (trail.Any(e => e.Sequence > before && e.Subject == AlertActions.SubjectOf(alertId) && AlertActions.Changes.Contains(e.Action)));
        if (alert.JoinedAlertId is { } whole)
            throw new CommandFailure(ExitCode.Input, $"{alertId} is a sighting that joined the alert {whole}. Disclose that one.");
        DeploymentRecord deployment = await store.Deployments.AsNoTracking().SingleAsync(d => d.Id == alert.DeploymentId, stopping);
        Authority authority = AuthorityService.TryRead(deployment) ?? throw new CommandFailure(ExitCode.Input, "The authority of the deployment has been altered and cannot be read, so the alert cannot be disclosed.");

        using var parts = new DisclosureParts();
        (DisclosedPerson? person, HostBuffer<byte>? probe, HostBuffer<byte>? reference) = Open(alert);
        AddPictures(parts, alert, probe, reference);
        var disclosed = Disclosed(alert, authority, deployment, await store.Alerts.AsNoTracking().Where(s => s.JoinedAlertId == alertId).OrderBy(s => s.RaisedAt).ToArrayAsync(stopping), trail, person, probe is not null);
        parts.Add(DisclosureFormat.Alert, "The alert: score, threshold, shots, quality, likelihood ratio, decisions.", DisclosureFormat.Text(disclosed) + "\n");
        AddAuthority(parts, deployment, authority);
        AuthorisedCategory? category = authority.Categories.FirstOrDefault(c => c.Category == alert.Category);
        parts.AddOrExplain(DisclosureFormat.Evidence, "The laboratory's measurement of error rates, on which the threshold rests, as the laboratory signed it.",
            category is null ? null : evidence.FileOf(category.Evidence.FileSha256), "The file is no longer in the data folder of the installation.");
        parts.AddOrExplain(DisclosureFormat.Policy, "The rules that the deployment had to keep, as they were signed.", authority.Policy is { } policy ? policies.FileOf(policy.Sha256) : null,
            authority.Policy is null ? "The authority names no policy pack." : "The file is no longer in the data folder of the installation, or has been altered.");
        AuditEntry[] about = AddTrail(parts, trail, seals, alert);
        AddReceipts(parts, about, deployment.Id);
        DeploymentFigures? figures = AddFigures(parts, trail, deployment.Id);

        var manifest = new DisclosureManifest(DisclosureFormat.Version, installation.Config.Name, alertId, deployment.Id, time.GetUtcNow(), actor.Name, reason, [], parts.Absent);
        manifest = manifest with { Parts = parts.Listed() };
        parts.Add(DisclosureFormat.Page, "This content as a page, and how to check it.", DisclosurePage.Write(manifest, disclosed, authority, evidence.Find(category?.Evidence.FileSha256 ?? "")?.Document, figures, about));
        manifest = manifest with { Parts = parts.Listed() };
        parts.Add(DisclosureFormat.Manifest, "", SignedDocument.Sign(DisclosureFormat.Kind, DisclosureFormat.Text(manifest), key));
        DisclosureBundle bundle = parts.Pack(manifest.MadeAt);
        try
        {
            // Recorded before it leaves: an entry without a file is harmless, a file without an entry is not.
            await journal.NoteAsync(actor, AlertActions.Disclosed, AlertActions.SubjectOf(alertId), new { alert.DeploymentId, reason, bundle.Sha256, Pictures = probe is not null }, stopping);
            return bundle;
        }
        catch
        {
            bundle.Dispose();
            throw;
        }
    }

    private (AuditEntry[] Entries, AuditSeal[] Seals) Trail(LfrStore store)
    {
        using ECDsa signer = SignedFile.KeyFrom(key.PublicPem);
        var check = new AuditCheck();
        AuditEntry[] entries = [.. check.Pass(AuditFile.Lines(store), signer)];
        if (check.Fault is { } fault)
            throw new CommandFailure(ExitCode.Input, $"The audit trail is not intact, so nothing can be disclosed from it: {fault}. Run `lfr audit verify` for details.");
        // What was written since the last seal is not disclosed.
        long end = check.LastSeal?.Sequence ?? 0;
        return (entries[..(int)end], [.. store.AuditSeals.AsNoTracking().Where(s => s.Sequence <= end).OrderBy(s => s.Sequence)]);
    }

    // All or nothing: the pictures and the person are erased together.
    private (DisclosedPerson? Person, HostBuffer<byte>? Probe, HostBuffer<byte>? Reference) Open(AlertRecord alert)
    {
        if (alert.SealedProbe is null || alert.SealedPerson is null)
            return default;
        HostBuffer<byte>? probe = null, reference = null;
        try
        {
            probe = vault.Unseal(alert.Id, alert.SealedProbe, AlertService.PurposeOf(AlertPicture.Probe));
            reference = alert.SealedReference is { } sealedReference ? vault.Unseal(alert.Id, sealedReference, AlertService.PurposeOf(AlertPicture.Reference)) : null;
            using HostBuffer<byte> text = vault.Unseal(alert.Id, alert.SealedPerson, AlertService.PersonPurpose);
            AlertPerson person = JsonSerializer.Deserialize<AlertPerson>(text.Span)!;
            return (new DisclosedPerson(person.Name, person.Reference, person.LegalBasis, person.ImageSource, person.QualityWarnings), probe, reference);
        }
        catch (KeyDestroyedException)
        {
            // Erased since the query.
            probe?.Dispose();
            reference?.Dispose();
            return default;
        }
        catch
        {
            probe?.Dispose();
            reference?.Dispose();
            throw;
        }
    }

    private static void AddPictures(DisclosureParts parts, AlertRecord alert, HostBuffer<byte>? probe, HostBuffer<byte>? reference)
    {
        string erased = FormattableString.Invariant($"The pictures of the alert were erased{(alert.ErasedAt is { } at ? $" at {at:u}" : "")}; alert.json says why.");
        parts.AddOrExplain(DisclosureFormat.Probe, "The face as the camera saw it.", probe, erased);
        parts.AddOrExplain(DisclosureFormat.Reference, "The photo on the watchlist.", reference, probe is null ? erased : "The alert has no photo of the watchlist.");
    }

    private DisclosedAlert Disclosed(AlertRecord alert, Authority authority, DeploymentRecord deployment, AlertRecord[] sightings, AuditEntry[] trail, DisclosedPerson? person, bool hasPictures)
    {
        string subject = AlertActions.SubjectOf(alert.Id);
        DisclosedPictures pictures = new(true, alert.EraseBy);
        if (!hasPictures)
        {
            AuditEntry? erasure = trail.LastOrDefault(e => e.Subject == subject && e.Action == AlertActions.PicturesErased);
            string why = WhyErased.FirstOrDefault(w => erasure is not null && SignatureProof.Says(erasure.Details, "reason", w.Key)).Value ?? "Their key has been destroyed.";
            pictures = new DisclosedPictures(false, alert.EraseBy, alert.ErasedAt ?? erasure?.At ?? time.GetUtcNow(), why);
        }
        AlertLikelihood? likelihood = alert.Log10LikelihoodRatio is { } log10 ? new AlertLikelihood(log10, alert.LikelihoodRatioAtBound, alert.LikelihoodListSize) : null;
        return new DisclosedAlert(alert.Id, alert.DeploymentId, alert.Category.Name(), alert.RolePlayer, alert.Camera, alert.CapturedAt, alert.RaisedAt, alert.Score, alert.Threshold, alert.Likeness,
            alert.AgreeingShots, alert.ComparedShots, alert.Quality, alert.State, pictures,
            [.. alert.Events.Select(e => new DisclosedDecision(e.Id, e.At, e.OfficerName, e.From, e.To, e.Note.Length > 0, e.UndoesId))],
            [.. sightings.Select(s => new DisclosedSighting(s.Id, s.Camera, s.CapturedAt, s.Score))], authority.Models,
            likelihood is null ? null : new DisclosedLikelihood(likelihood.Log10, likelihood.AtBound, likelihood.ListSize, likelihood.Support, LikelihoodWords.Sentence(likelihood)), person,
            deployment is { SignedBy: { } by, SignedAt: { } at } ? new DisclosedSignature(by, at) : null,
            deployment is { SecondSignedBy: { } secondBy, SecondSignedAt: { } secondAt } ? new DisclosedSignature(secondBy, secondAt) : null);
    }

    private static void AddAuthority(DisclosureParts parts, DeploymentRecord record, Authority authority)
    {
        parts.AddOrExplain(DisclosureFormat.Authority, "The authority of the deployment, with the authorising officer's signature.", AuthoritySetup.FileOf(record), "The authority is not signed.");
        parts.AddOrExplain(DisclosureFormat.Second, "The same authority, with the second officer's signature.", AuthoritySetup.FileOf(record, second: true),
            authority.SecondOfficer is null ? "The authority lowers no threshold, so nobody had to sign second." : "The second signature is missing.");
    }

    private AuditEntry[] AddTrail(DisclosureParts parts, AuditEntry[] trail, AuditSeal[] seals, AlertRecord alert)
    {
        HashSet<long> which = AuditSlice.About(trail, alert.DeploymentId, alert.Id);
        if (which.Count == 0)
            throw new CommandFailure(ExitCode.Input, "The audit trail has no entry about this alert, so it cannot be disclosed.");
        parts.Add(DisclosureFormat.Trail, "The audit trail about the alert and its deployment, with the hashes of all entries in between and the seals.", AuditSlice.Write(installation.Config.Name, trail, seals, which));
        return [.. trail.Where(e => which.Contains(e.Sequence))];
    }

    private void AddReceipts(DisclosureParts parts, AuditEntry[] about, Guid deployment)
    {
        foreach (string name in DisclosureCheck.ReceiptsIn(about, deployment))
            parts.AddOrExplain(DisclosureFormat.Receipts + name, "What a run of the deployment erased, signed by the installation.", receipts.PathOf(name) is { } path ? InputFile.ReadBytes(path) : null, "The receipt is missing from the data folder of the installation.");
    }

    private DeploymentFigures? AddFigures(DisclosureParts parts, AuditEntry[] trail, Guid deployment)
    {
        DeploymentFigures? figures = DisclosureCheck.FiguresOf(installation.Config.Name, trail, deployment);
        parts.AddOrExplain(DisclosureFormat.Figures, "The published figures of the deployment, counted from the audit trail.", figures is null ? null : Encoding.UTF8.GetBytes(DisclosureFormat.Text(figures) + "\n"), "The audit trail has no start of the deployment.");
        return figures;
    }
}
