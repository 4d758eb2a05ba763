using System.Security.Claims;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Watchlists;
using LfrEngine.Web.Tests.Authorities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Policies;

/// <summary>Authorities under a policy pack, with people of ranks, trainings and places.</summary>
[Trait("Speed", "slow")]
public sealed class AuthorityPolicyTests
{
    private static CancellationToken Stopping => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Authority_UnderPack_RunsOnlyWithRankTrainingDocumentsAndOfficersOnTheSpot()
    {
        SignedPolicy policy = Packs.Sign(Packs.Whole);
        await using AuthorityStage stage = await AuthorityStage.StartAsync(policy);
        OfficerRegister register = stage.Host.Services.GetRequiredService<OfficerRegister>();
        PresenceRegister presence = stage.Host.Services.GetRequiredService<PresenceRegister>();
        Officer admin = await stage.Host.AddOfficerAsync("ada", Roles.Administrator);
        AuthorityDraft draft = stage.Draft() with { Ground = "hotspot", Area = Packs.Square, AccountablePerson = "Commander B. Example" };

        AuthorityException untrained = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft));
        Assert.Equal([nameof(AuthorityDraft.AuthorisingOfficer), nameof(AuthorityDraft.AuthorisingOfficer)], untrained.Faults.Select(f => f.Field));
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.SetRankAsync(AuthorityStage.Of(stage.Signer), stage.Signer.Id, "superintendent"));
        await register.SetRankAsync(AuthorityStage.Of(admin), stage.Signer.Id, "Superintendent");
        await Assert.ThrowsAsync<OfficerRefusedException>(() => register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Signer.Id, Roles.AuthorisingOfficer, new DateOnly(2026, 5, 15)));
        await register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Signer.Id, Roles.AuthorisingOfficer, new DateOnly(2025, 5, 15));
        AuthorityException bare = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(stage.Draft()));
        Assert.Equal([nameof(AuthorityDraft.Ground), nameof(AuthorityDraft.Area), nameof(AuthorityDraft.AccountablePerson)], bare.Faults.Select(f => f.Field));

        Guid id = await stage.DraftAsync(draft);
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(2);
        Authority authority = AuthorityService.Of(await stage.Host.ReadAsync(s => s.Deployments.SingleAsync()));
        Assert.Equal((new AuthorisedPolicy("Test rules", "1", policy.Sha256), "Superintendent", 4), (authority.Policy, authority.AuthorisingOfficer.Rank, authority.FormatVersion));

        Assert.Equal(["0 officers are checked in within 200 m of the area; the policy demands 1, each within the last 15 minutes."], await stage.Authorities.RefusalsAsync(id, Stopping));
        Actor there = AuthorityStage.Of(stage.Drafter);
        Assert.Contains("m away from the area", (await Assert.ThrowsAsync<PresenceRefusedException>(() => presence.CheckInAsync(there, id, 51.52, -0.127, 10))).Message, StringComparison.Ordinal);
        Assert.Contains("does not know well enough", (await Assert.ThrowsAsync<PresenceRefusedException>(() => presence.CheckInAsync(there, id, 51.5078, -0.127, 5000))).Message, StringComparison.Ordinal);
        await presence.CheckInAsync(there, id, 51.5078, -0.127, 10);
        await presence.CheckInAsync(there, id, 51.5078, -0.127, 10);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, Stopping));
        // Coming is recorded once, and no place anywhere.
        AuditEntry came = Assert.Single(await stage.Host.ReadAsync(s => s.Audit.Where(e => e.Action == "presence.checked-in").ToArrayAsync()));
        Assert.Equal("{}", came.Details);

        long longer = (stage.Time.Now.AddDays(1).UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        await stage.TamperAsync($"UPDATE \"Presences\" SET \"ExpiresAt\" = {longer}");
        Assert.Contains("1 check-in has been altered and does not count", Assert.Single(await stage.Authorities.RefusalsAsync(id, Stopping)), StringComparison.Ordinal);
        await presence.CheckInAsync(there, id, 51.5078, -0.127, 10);
        stage.Time.Now += TimeSpan.FromMinutes(15);
        Assert.Single(await stage.Authorities.RefusalsAsync(id, Stopping));
        await presence.ForgetAsync(stage.Host.Store());
        Assert.Empty(await stage.Host.ReadAsync(s => s.Presences.ToArrayAsync()));
        await presence.CheckInAsync(there, id, 51.5078, -0.127, 10);
        await presence.CheckOutAsync(there, id);
        Assert.Single(await stage.Authorities.RefusalsAsync(id, Stopping));
        await presence.CheckInAsync(there, id, 51.5078, -0.127, 10);

        // A newer pack does not change the deployment; an altered one is not its own.
        SignedPolicy stricter = Packs.Sign(Packs.Whole with { Version = "2", Categories = new Dictionary<string, CategoryRules> { ["wanted"] = new() { LeastThreshold = 0.9 } } });
        Assert.Empty(await stage.Restarted(policy: stricter).RefusalsAsync(id, Stopping));
        string kept = stage.Host.Installation.DataPath("policies", $"{policy.Sha256}.json");
        string text = await File.ReadAllTextAsync(kept, Stopping);
        await File.WriteAllTextAsync(kept, text.Replace("0.45", "0.41", StringComparison.Ordinal), Stopping);
        Assert.Equal([$"The policy pack Test rules 1 ({policy.Sha256[..12]}), under which the authority was drafted, is missing from the data folder or has been altered."], await stage.Authorities.RefusalsAsync(id, Stopping));
        await File.WriteAllTextAsync(kept, text, Stopping);

        // The training of the signer ends at midnight.
        stage.Time.Now = new DateTimeOffset(2026, 5, 15, 23, 30, 0, TimeSpan.Zero);
        Assert.Contains("The training of sam as authorising-officer ended on 2026-05-15.", await stage.Authorities.RefusalsAsync(id, Stopping));
    }

    [Fact]
    public async Task Decide_UntrainedOfficer_IsRefused()
    {
        SignedPolicy policy = Packs.Sign(Packs.Whole with { Presence = null });
        await using AuthorityStage stage = await AuthorityStage.StartAsync(policy);
        OfficerRegister register = stage.Host.Services.GetRequiredService<OfficerRegister>();
        Officer admin = await stage.Host.AddOfficerAsync("ada", Roles.Administrator);
        await register.SetRankAsync(AuthorityStage.Of(admin), stage.Signer.Id, "superintendent");
        await register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Signer.Id, Roles.AuthorisingOfficer, new DateOnly(2026, 1, 1));
        Guid id = await stage.DraftAsync(stage.Draft() with { Ground = "hotspot", Area = Packs.Square, AccountablePerson = "Commander B. Example" });
        var alert = new AlertRecord { Id = Guid.NewGuid(), DeploymentId = id, EngineId = "a", Camera = "gate", State = AlertState.Raised, Category = WatchlistCategory.Wanted, CapturedAt = stage.Time.Now, RaisedAt = stage.Time.Now, EraseBy = stage.Time.Now.AddHours(2) };
        await stage.Host.Journal.ChangeAsync(Actor.Engine, (store, _) =>
        {
            store.Alerts.Add(alert);
            return Task.CompletedTask;
        }, Stopping);
        AlertService alerts = stage.Host.Services.GetRequiredService<AlertService>();
        var dora = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.NameIdentifier, stage.Drafter.Id.ToString()), new(Actor.DisplayNameClaim, "dora"), new(ClaimTypes.Role, Roles.Operator)], "test"));

        Assert.Equal(Refusal.Untrained, (await alerts.DecideAsync(dora, alert.Id, AlertState.Viable, "")).Refusal);
        await register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Drafter.Id, Roles.EngagementOfficer, new DateOnly(2026, 5, 1));
        await register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Drafter.Id, Roles.Operator, new DateOnly(2025, 5, 1));
        Assert.Equal(Refusal.Untrained, (await alerts.DecideAsync(dora, alert.Id, AlertState.Viable, "")).Refusal);
        await register.RecordTrainingAsync(AuthorityStage.Of(admin), stage.Drafter.Id, Roles.Operator, new DateOnly(2026, 5, 1));
        Assert.Null((await alerts.DecideAsync(dora, alert.Id, AlertState.Viable, "")).Refusal);

        // Told 30 days before it ends: 1 May 2027 minus 30 days.
        await using LfrStore store = stage.Host.Store();
        Assert.Empty(await TrainingCurrency.EndingAsync(store, policy.Pack, stage.Drafter.Id, [Roles.Operator], new DateOnly(2027, 3, 31)));
        Assert.Equal([(Roles.Operator, (DateOnly?)new DateOnly(2027, 5, 1))], await TrainingCurrency.EndingAsync(store, policy.Pack, stage.Drafter.Id, [Roles.Operator], new DateOnly(2027, 4, 1)));
    }

    [Fact]
    public async Task Authority_LowerThreshold_NeedsReasonAndSecondSignatureAndIsRecorded()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Officer second = await stage.Host.AddOfficerAsync("olga", Roles.AuthorisingOfficer);
        await stage.SignAsync(await stage.DraftAsync());
        stage.Time.Now += TimeSpan.FromMinutes(1);
        AuthorityDraft lower = stage.Draft() with { WatchlistId = await stage.AddWatchlistAsync("Next list"), Categories = [stage.Draft().Categories[0] with { Threshold = 0.44 }] };

        AuthorityException refused = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(lower));
        Assert.Equal([nameof(AuthorityDraft.LoweringReason), nameof(AuthorityDraft.SecondOfficer)], refused.Faults.Select(f => f.Field));
        Assert.Contains("wanted from 0.48 to 0.44", refused.Reasons[0], StringComparison.Ordinal);
        lower = lower with { LoweringReason = "New evidence of May.", SecondOfficer = stage.Signer.Id };
        Assert.Contains("second authorising officer", Assert.Single((await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(lower))).Reasons), StringComparison.Ordinal);
        Guid id = await stage.DraftAsync(lower with { SecondOfficer = second.Id });

        Assert.Equal(["The authority lowers a threshold: olga must sign it first."], (await Assert.ThrowsAsync<AuthorityException>(() => stage.SignAsync(id))).Reasons);
        await stage.SignAsync(id, second);
        Assert.Contains("You have signed it.", (await Assert.ThrowsAsync<AuthorityException>(() => stage.SignAsync(id, second))).Reasons);
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(2);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, Stopping));
        AuditEntry[] trail = await stage.Host.ReadAsync(s => s.Audit.Where(e => e.Subject == $"deployment/{id}").OrderBy(e => e.Sequence).ToArrayAsync());
        Assert.Equal([("deployment.drafted", "dora"), ("deployment.second-signed", "olga"), ("deployment.signed", "sam"), ("deployment.threshold-lowered", "sam")], trail.Select(e => (e.Action, e.ActorName)));
        Assert.Contains("\"from\":0.48,\"to\":0.44", trail[^1].Details, StringComparison.Ordinal);
        Assert.Contains(stage.EvidenceSha256, trail[^1].Details, StringComparison.Ordinal);

        // Both signatures are published over the same text.
        using HttpClient client = await stage.Host.ClientAsync(stage.Drafter);
        foreach ((string query, Officer signer) in new[] { ("", stage.Signer), ("?second=true", second) })
        {
            byte[] file = await client.GetByteArrayAsync(new Uri($"/api/v1/deployments/{id}/authority{query}", UriKind.Relative), Stopping);
            Assert.Equal(0.44, LfrEngine.Files.SignedFile.Read(file, "file", AuthoritySetup.Kind.Property, AuthoritySetup.Kind.Name, signer.SigningPublicKey, Authority.Json).Categories[0].Threshold);
        }
        // Published, once the deployment has run.
        await stage.Host.Journal.NoteAsync(Actor.Engine, "deployment.started", $"deployment/{id}", new { }, Stopping);
        await using (LfrStore store = stage.Host.Store())
            Assert.Equal([new LoweredFigure("wanted", 0.48, 0.44, "New evidence of May.")], PublishedFigures.Report(store, stage.Host.Installation, null, null).Deployments.Single(d => d.Id == id.ToString()).LoweredThresholds);

        await stage.TamperAsync($"UPDATE \"Deployments\" SET \"SecondSignedBy\" = {stage.Drafter.Id} WHERE \"Id\" = {id}");
        Assert.NotEmpty(await stage.Authorities.RefusalsAsync(id, Stopping));
        // Once lowered, the same threshold is no event any more; scores of another embedder are another scale.
        Guid again = await stage.DraftAsync(stage.Draft() with { WatchlistId = await stage.AddWatchlistAsync("Third list"), Categories = lower.Categories });
        Assert.Null(AuthorityService.Of(await stage.Host.ReadAsync(s => s.Deployments.SingleAsync(d => d.Id == again))).Lowered);
        Assert.Empty(await stage.Present.LoweredAsync(stage.Host.Store(), Guid.NewGuid(), [new AuthorisedModel(AuthorityPresent.EmbedderTask, "other", "other")],
            [new AuthorisedCategory(WatchlistCategory.Wanted, 0.1, new AuthorisedEvidence("", "", "", default, 1, 0, 0, 0), "")], Stopping));
    }

    [Fact]
    public async Task Authority_DemandsOnGroups_AreCheckedWhileItRuns()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        AuthorityDraft draft = stage.Draft() with { Demands = new EvidenceDemands(new DateOnly(2026, 4, 1), [new GroupDemand("sex", LargestTpirRatio: 1.2)]) };

        Assert.Contains("has no groups by sex", Assert.Single((await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft))).Reasons), StringComparison.Ordinal);
        Assert.Contains("only evidence since 2026-05-01 counts", Assert.Single((await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft with { Demands = new EvidenceDemands(new DateOnly(2026, 5, 1), []) }))).Reasons), StringComparison.Ordinal);
        stage.WriteEvidence(stage.Host.Installation.DataPath("evidence", "groups.json"), stage.Evidence(AuthorityStage.People, groups:
        [
            new("sex", "female", 1e-4, 5e-5, 2e-4, 20, 200_000, 0.9, 0.88, 0.92, 450, 500),
            new("sex", "male", 1e-4, 5e-5, 2e-4, 20, 200_000, 0.91, 0.89, 0.93, 455, 500),
        ]));
        string sha256 = LfrEngine.Models.PackageCache.HashOf(stage.Host.Installation.DataPath("evidence", "groups.json"));
        draft = draft with { Categories = [draft.Categories[0] with { EvidenceSha256 = sha256 }] };
        Guid id = await stage.DraftAsync(draft);
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(2);
        Assert.Empty(await stage.Authorities.RefusalsAsync(id, Stopping));
        Assert.Contains("does not show equal treatment by sex", Assert.Single((await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft with { Demands = new EvidenceDemands(null, [new GroupDemand("sex", LargestTpirRatio: 1.01)]) }))).Reasons), StringComparison.Ordinal);
        AuthorityException senseless = await Assert.ThrowsAsync<AuthorityException>(() => stage.DraftAsync(draft with { Demands = new EvidenceDemands(null, [new GroupDemand("sex", LargestTpirRatio: 1)]) }));
        Assert.Contains("sex: a largest ratio must be more than 1, up to 1000.", senseless.Reasons);
    }
}
