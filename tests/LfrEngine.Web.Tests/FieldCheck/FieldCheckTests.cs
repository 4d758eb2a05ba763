using LfrEngine.Evaluation.Evidence;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.FieldCheck;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
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
