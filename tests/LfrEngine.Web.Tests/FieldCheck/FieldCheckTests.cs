using LfrEngine.Cli.Tests.Support;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.FieldCheck;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Transparency;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.FieldCheck;

/// <summary>Role-players walk past, and the result is compared with the evidence.</summary>
public sealed class FieldCheckTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task WalksAsync_AlertWithinTheWalk_IsFoundAndNoOther()
    {
        var time = new ManualTime();
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid ada = await material.AddPersonAsync(WatchlistCategory.Wanted, rolePlayer: true), bo = await material.AddPersonAsync(WatchlistCategory.Wanted, rolePlayer: true);
        Actor officer = Actor.Of(await material.OfficerAsync("emil", Roles.EngagementOfficer));
        FieldCheckService check = host.Services.GetRequiredService<FieldCheckService>();

        await material.RaiseAsync(ada);
        time.Pass(Second);
        Guid first = await check.StartAsync(officer, material.Deployment, ada);
        time.Pass(Second);
        await material.RaiseAsync(bo);
        time.Pass(Second);
        await check.EndAsync(officer, first);
        time.Pass(Second);
        await material.RaiseAsync(ada);
        Guid second = await check.StartAsync(officer, material.Deployment, ada);
        time.Pass(Second);
        await material.RaiseAsync(ada);
        time.Pass(Second);
        await check.EndAsync(officer, second);

        IReadOnlyList<Walk> walks = await check.WalksAsync(material.Deployment, TestContext.Current.CancellationToken);
        Assert.Equal([(second, true), (first, false)], walks.Select(w => (w.Id, w.Found)));
        FieldRate rate = Assert.Single(await check.RatesAsync(material.Deployment, TestContext.Current.CancellationToken));
        Assert.Equal(new Proportion(1, 2), rate.Found);
        Assert.Equal((1, FieldVerdict.NoPromise), (rate.People, rate.Verdict));
        // Role-players are marked wherever they could be taken for people who are sought.
        Assert.All(await material.EntriesAsync("alert.raised", "alert.joined"), e => Assert.Contains("\"rolePlayer\":true", e.Details, StringComparison.Ordinal));
    }

    [Fact]
    public async Task EndAsync_EnginePausedMeanwhile_DoesNotCount()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid ada = await material.AddPersonAsync(WatchlistCategory.Wanted, rolePlayer: true), wanted = await material.AddPersonAsync();
        Actor officer = Actor.Of(await material.OfficerAsync("emil", Roles.EngagementOfficer));
        FieldCheckService check = host.Services.GetRequiredService<FieldCheckService>();
        Guid walk = await check.StartAsync(officer, material.Deployment, ada);
        Assert.Equal(WalkRefusal.WalkingAlready, (await Assert.ThrowsAsync<WalkRefusedException>(() => check.StartAsync(officer, material.Deployment, ada))).Refusal);
        Assert.Equal(WalkRefusal.NoRolePlayer, (await Assert.ThrowsAsync<WalkRefusedException>(() => check.StartAsync(officer, material.Deployment, wanted))).Refusal);

        await SetAsync(DeploymentState.Paused, "deployment.paused");
        Assert.Equal(WalkRefusal.NotRunning, (await Assert.ThrowsAsync<WalkRefusedException>(() => check.StartAsync(officer, material.Deployment, ada))).Refusal);
        await SetAsync(DeploymentState.Running, "deployment.started");
        await check.EndAsync(officer, walk);

        Assert.NotNull(Assert.Single(await check.WalksAsync(material.Deployment, TestContext.Current.CancellationToken)).Void);
        Assert.Empty(await check.RatesAsync(material.Deployment, TestContext.Current.CancellationToken));
        Assert.Equal(WalkRefusal.EndedAlready, (await Assert.ThrowsAsync<WalkRefusedException>(() => check.EndAsync(officer, walk))).Refusal);

        Task SetAsync(DeploymentState state, string action) => host.Journal.ChangeAsync(Actor.Engine, async (store, entries) =>
        {
            (await store.Deployments.SingleAsync(TestContext.Current.CancellationToken)).State = state;
            entries.Note(action, $"deployment/{material.Deployment}", new { });
        }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Groups_WalksOfRolePlayers_AreComparedAndOutliveTheList()
    {
        var time = new ManualTime();
        CancellationToken token = TestContext.Current.CancellationToken;
        await using RunningHost host = await RunningHost.StartAsync(time: time);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid ada = await material.AddPersonAsync(rolePlayer: true, groups: Sex("female")), bob = await material.AddPersonAsync(rolePlayer: true, groups: Sex("male"));
        Actor officer = Actor.Of(await material.OfficerAsync("emil", Roles.EngagementOfficer));
        FieldCheckService check = host.Services.GetRequiredService<FieldCheckService>();
        Assert.Equal(["female", "male"], (await check.RolePlayersAsync(material.Deployment, token)).Select(p => p.Groups["sex"]).Order());

        await WalkAsync(ada, 0.60f, 2);
        await WalkAsync(ada, 0.70f, 4);
        await WalkAsync(bob, 0.80f, 1);
        await WalkAsync(bob, null, 3);
        await host.Journal.ChangeAsync(Actor.Engine, async (store, _) =>
        {
            await store.People.ExecuteDeleteAsync(token);
            (await store.Deployments.SingleAsync(token)).EndedAt = time.GetUtcNow();
        }, token);
        material.Vault.Destroy(material.Watchlist);

        IReadOnlyList<FieldGroup> groups = await check.GroupsAsync(material.Deployment, await check.WalksAsync(material.Deployment, token), token);
        Assert.Equal([("female", new Proportion(2, 2)), ("male", new Proportion(1, 2))], groups.Select(g => (g.Outcome.Group, g.Outcome.Found)));
        Assert.Equal((3.0, 3.8), (groups[0].Outcome.MedianSeconds!.Value, Math.Round(groups[0].Outcome.NinetiethSeconds!.Value, 6)));
        Assert.Equal(-0.15, groups[0].Outcome.Shift!.Value.Shift, 1e-6);
        // No engine runs in this test, so nobody knows whether a face was compared.
        Assert.Equal(new Proportion(0, 0), groups[1].Outcome.NothingCompared);
        Assert.Null(groups[0].Promise);

        // Published once the last alert has settled, and once only.
        LateFigures late = host.Services.GetRequiredService<LateFigures>();
        await late.NoteAsync(token);
        Assert.Empty(await material.EntriesAsync(LateFigures.FieldCheckResult));
        time.SetWall(TimeSpan.FromMinutes(2));
        await late.NoteAsync(token);
        await late.NoteAsync(token);
        AuditEntry entry = Assert.Single(await material.EntriesAsync(LateFigures.FieldCheckResult));
        Assert.Contains("\"passages\":4,\"found\":3,\"people\":2", entry.Details, StringComparison.Ordinal);
        Assert.Contains("\"column\":\"sex\",\"group\":\"male\",\"passages\":2,\"found\":1", entry.Details, StringComparison.Ordinal);

        async Task WalkAsync(Guid person, float? score, int seconds)
        {
            Guid walk = await check.StartAsync(officer, material.Deployment, person);
            time.SetWall(TimeSpan.FromSeconds(seconds));
            if (score is { } seen)
                await material.RaiseAsync(person, score: seen);
            await check.EndAsync(officer, walk);
            time.SetWall(Second);
        }

        static Dictionary<string, string> Sex(string sex) => new() { ["sex"] = sex };
    }

    [Fact]
    public async Task Plan_Command_SaysWhatThePageSays()
    {
        string walks = $"{GroupTrial.PassagesPerGroup(0.9, 0.3)} walks for each of 2 groups";
        (await Lfr.RunAsync("fieldcheck", "plan", "--rate", "0.9", "--difference", "0.3")).Exits(ExitCode.Success).Says(walks).IsCivil();
        Assert.Equal(GroupTrial.PassagesPerGroup(0.95, 0.4, 0.9, 3), (int)(await Lfr.RunAsync("fieldcheck", "plan", "--rate", "0.95", "--difference", "0.4", "--power", "0.9", "--groups", "3", "--json")).Exits(ExitCode.Success).Json["walksPerGroup"]!);
        (await Lfr.RunAsync("fieldcheck", "plan", "--rate", "0.2", "--difference", "0.3")).Exits(ExitCode.Usage).Says("larger than --rate").IsCivil();
    }

    [Theory]
    [InlineData(9, 10, FieldVerdict.Agrees)]
    [InlineData(10, 10, FieldVerdict.Agrees)]
    [InlineData(3, 10, FieldVerdict.Below)]
    [InlineData(0, 2, FieldVerdict.Below)]
    [InlineData(1, 2, FieldVerdict.Agrees)]
    [InlineData(400, 401, FieldVerdict.Above)]
    public void Verdict_FieldAndEvidence_DifferIfIntervalsDoNotOverlap(int found, int walks, FieldVerdict verdict)
    {
        // 0 of 2: the exact interval ends at 84.2 %, just below the promise's 85 %.
        OperatingPoint promise = LikenessTests.Evidence((0.48, 0.01, 0.012)).Points[0];

        Assert.Equal(verdict, new FieldRate(WatchlistCategory.Wanted, new Proportion(found, walks), 1, promise).Verdict);
    }
}
