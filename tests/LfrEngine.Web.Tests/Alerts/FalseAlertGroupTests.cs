using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>The perceived groups of people in false alerts: counted, and nothing leads back.</summary>
public sealed class FalseAlertGroupTests
{
    private static readonly Dictionary<string, string> Groups = new() { ["sex"] = "male", ["skin_tone"] = "monk 7" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RecordAsync_FalseAlerts_AreCountedOnceAndPublishedOnALaterDay()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        ClaimsPrincipal olga = await material.OfficerAsync("olga", Roles.Operator), emil = await material.OfficerAsync("emil", Roles.EngagementOfficer);
        FalseAlertGroups counts = host.Services.GetRequiredService<FalseAlertGroups>();
        Guid rejected = await material.RaiseAsync(await material.AddPersonAsync()), incorrect = await material.RaiseAsync(await material.AddPersonAsync()), right = await material.RaiseAsync(await material.AddPersonAsync());
        await DecideAsync(olga, rejected, AlertState.Rejected);
        await DecideAsync(olga, incorrect, AlertState.Viable);
        await DecideAsync(emil, incorrect, AlertState.Engaged, AlertState.Incorrect);
        await DecideAsync(olga, right, AlertState.Viable);
        long before = await EntriesAsync();

        // Of nobody else, by nobody else, nothing else, and once.
        Assert.Contains("has just judged", await counts.RecordAsync(olga, right, Groups), StringComparison.Ordinal);
        Assert.Contains("has just judged", await counts.RecordAsync(emil, rejected, Groups), StringComparison.Ordinal);
        Assert.Contains("nothing else", await counts.RecordAsync(olga, rejected, new Dictionary<string, string> { ["name"] = "Ann" }), StringComparison.Ordinal);
        Assert.Contains("sex is one of", await counts.RecordAsync(olga, rejected, new Dictionary<string, string> { ["sex"] = "m" }), StringComparison.Ordinal);
        Assert.Null(await counts.RecordAsync(olga, rejected, Groups));
        Assert.Contains("once", await counts.RecordAsync(olga, rejected, Groups), StringComparison.Ordinal);
        Assert.Null(await counts.RecordAsync(emil, incorrect, Groups));

        // No entry at that moment, and no more in the store than counts and a day.
        Assert.Equal(before, await EntriesAsync());
        await using (LfrStore store = host.Store())
        {
            Assert.Equal([("sex", "male", 2), ("skin_tone", "monk 7", 2)], (await store.FalseAlertCounts.OrderBy(c => c.Column).ToArrayAsync(Token)).Select(c => (c.Column, c.Group, c.Count)));
            Assert.Equal(["Category", "Column", "Count", "DeploymentId", "Group", "LatestOn", "Published"], store.Model.FindEntityType(typeof(FalseAlertCount))!.GetProperties().Select(p => p.Name).Order(StringComparer.Ordinal));
        }

        LateFigures late = host.Services.GetRequiredService<LateFigures>();
        time.SetWall(TimeSpan.FromDays(1));
        await late.NoteAsync(Token);
        Assert.Empty(await material.EntriesAsync(LateFigures.FalseAlerts));
        await host.Journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            (await store.Deployments.SingleAsync(Token)).EndedAt = time.GetUtcNow();
            entries.Note("deployment.drafted", $"deployment/{material.Deployment}", new { Name = "High Street", Date = "2026-11-23" });
            entries.Note("deployment.started", $"deployment/{material.Deployment}", new { Runs = 1 });
            entries.Note("deployment.ended", $"deployment/{material.Deployment}", new { FacesSeen = 1000, RunningSeconds = 60 });
        }, Token);
        await late.NoteAsync(Token);
        Assert.Empty(await material.EntriesAsync(LateFigures.FalseAlerts));
        time.SetWall(TimeSpan.FromDays(1));
        await late.NoteAsync(Token);
        await late.NoteAsync(Token);
        Assert.Single(await material.EntriesAsync(LateFigures.FalseAlerts));

        await using LfrStore after = host.Store();
        DeploymentFigures row = Assert.Single(PublishedFigures.Report(after, host.Installation, null, null).Deployments);
        Assert.Equal(new AlertWords(1, 2, 0, 1), row.Words);
        FalseAlertGroup male = row.FalseAlertGroups[0];
        Assert.Equal(("wanted", "sex", "male", 2, PublishedRate.From(2, 1000), PublishedRate.From(2, 3)), (male.Category, male.Column, male.Group, male.Count, male.OfFacesSeen, male.OfAlerts));

        async Task<long> EntriesAsync()
        {
            await using LfrStore store = host.Store();
            return await store.Audit.CountAsync(Token);
        }

        async Task DecideAsync(ClaimsPrincipal officer, Guid alert, params AlertState[] states)
        {
            foreach (AlertState state in states)
                Assert.Null((await material.Alerts.DecideAsync(officer, alert, state, "")).Refusal);
        }
    }

    [Fact]
    public async Task Offers_RolePlayerOrUndoneOrTurnedOff_AreNone()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        ClaimsPrincipal olga = await material.OfficerAsync("olga", Roles.Operator), emil = await material.OfficerAsync("emil", Roles.EngagementOfficer);
        FalseAlertGroups counts = host.Services.GetRequiredService<FalseAlertGroups>();
        Guid played = await material.RaiseAsync(await material.AddPersonAsync(rolePlayer: true)), undone = await material.RaiseAsync(await material.AddPersonAsync());
        await material.Alerts.DecideAsync(olga, played, AlertState.Rejected, "");
        await material.Alerts.DecideAsync(olga, undone, AlertState.Viable, "");
        await material.Alerts.DecideAsync(emil, undone, AlertState.Engaged, "");
        Decision wrong = await material.Alerts.DecideAsync(emil, undone, AlertState.Incorrect, "");
        Assert.True(counts.Offers(emil, undone));
        Assert.Null((await material.Alerts.DecideAsync(emil, undone, AlertState.Engaged, "", wrong.Entry!.Id)).Refusal);

        Assert.False(counts.Offers(emil, undone));
        Assert.False(counts.Offers(olga, played));

        await using RunningHost silent = await RunningHost.StartAsync((c, _) => c with { FalseAlerts = new FalseAlertsConfig { RecordGroups = false } });
        AlertMaterial others = await AlertMaterial.CreateAsync(silent);
        Guid alert = await others.RaiseAsync(await others.AddPersonAsync());
        Officer otto = await silent.AddOfficerAsync("otto", Roles.Operator);
        using HttpClient client = await silent.ClientAsync(otto);
        using HttpResponseMessage decided = await client.PostAsJsonAsync($"/api/v1/alerts/{alert}/decisions", new { to = "rejected" }, Token);
        Assert.Equal(HttpStatusCode.OK, decided.StatusCode);
        using HttpResponseMessage refused = await client.PostAsJsonAsync($"/api/v1/alerts/{alert}/perceived", new { groups = Groups }, Token);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
    }
}
