using System.Net;
using System.Text.Json.Nodes;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The engine runs while an authority says so, and everything it did is written down.</summary>
[Trait("Speed", "slow")]
public sealed class DeploymentRunnerTests(Street street) : IClassFixture<Street>
{
    private static readonly Actor Officer = new(Guid.NewGuid().ToString(), "olga");

    [Fact]
    public async Task Run_ListedWomanPasses_AlertIsKeptAndTheEndLeavesAReceipt()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        DeploymentRunner runner = Runner(host);
        Task<AuditEntry> alert = host.NextAsync("alert.raised");

        await runner.StartAsync(Officer, deployment, Token);
        Assert.NotNull(runner.Find(deployment));
        Assert.Equal(DeploymentState.Running, (await RecordAsync(host, deployment)).State);
        AuditEntry raised = await alert;
        await runner.EndAsync(Officer, deployment, "The shift is over.");

        Assert.Empty(runner.Running);
        Assert.Contains("\"camera\":\"gate\"", raised.Details, StringComparison.Ordinal);
        DeploymentRecord record = await RecordAsync(host, deployment);
        Assert.Equal((DeploymentState.Ended, "The shift is over."), (record.State, record.StateReason));
        Assert.True(record.FacesSeen > 0 && record.RunningSeconds > 1, $"{record.FacesSeen} faces, {record.RunningSeconds} s");
        await using LfrStore store = host.Store();
        Assert.Equal(record.EndedAt!.Value.AddHours(24), (await store.Watchlists.SingleAsync(Token)).DestroyBy);
        Assert.Single(await store.Alerts.ToArrayAsync(Token));
        AuditEntry[] trail = await store.Audit.Where(e => e.Subject == $"deployment/{deployment}").OrderBy(e => e.Sequence).ToArrayAsync(Token);
        Assert.Equal(["deployment.drafted", "deployment.signed", "deployment.started", "deployment.ended"], trail.Select(e => e.Action));
        Assert.All(trail[2..], e => Assert.Equal(Officer.Name, e.ActorName));
        JsonNode ended = JsonNode.Parse(trail[3].Details)!;
        Assert.Equal(record.FacesSeen, (long)ended["facesSeen"]!);

        var receipt = ErasureReceipt.Verify(host.Installation.DataPath("receipts", (string)ended["receipt"]!), SignedDocument.TrustedPem(null));
        Assert.Equal(["gate"], receipt.Cameras);
        Assert.Equal((record.FacesSeen, 1, 0L), (receipt.FacesSeen, receipt.Alerts, receipt.Erased.FrameBuffersHeld));
        Assert.True(receipt.Erased.CropsAndEmbeddingsWiped > 0);
    }

    [Fact]
    public async Task Start_OutsideTheWindow_IsRefusedInWordsAndNothingRuns()
    {
        var time = new MovedTime();
        await using RunningHost host = await Street.HostAsync(street.Clip, time: time);
        Guid deployment = await street.PrepareAsync(host);
        time.Ahead = TimeSpan.FromHours(-5);

        DeploymentRefusedException refused = await Assert.ThrowsAsync<DeploymentRefusedException>(() => Runner(host).StartAsync(Officer, deployment, Token));

        Assert.Contains("begins at", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Runner(host).Running);
        await using LfrStore store = host.Store();
        AuditEntry noted = await store.Audit.SingleAsync(e => e.Action == "deployment.refused", Token);
        Assert.Contains("begins at", noted.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_WindowCloses_EndsByItselfAndSaysWhy()
    {
        var time = new MovedTime();
        await using RunningHost host = await Street.HostAsync(street.Clip, time: time);
        Guid deployment = await street.PrepareAsync(host);
        Task<AuditEntry> ended = host.NextAsync("deployment.ended");
        await Runner(host).StartAsync(Officer, deployment, Token);

        time.Ahead = TimeSpan.FromHours(3);
        AuditEntry entry = await ended;

        Assert.Equal("engine", entry.ActorName);
        Assert.Contains("ended at", entry.Details, StringComparison.Ordinal);
        Assert.Equal(DeploymentState.Ended, (await RecordAsync(host, deployment)).State);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(host.Installation.DataPath("receipts", "_"))!));
    }

    [Fact]
    public async Task Idle_WindowCloses_EndsWhatWaited()
    {
        var time = new MovedTime();
        await using RunningHost host = await Street.HostAsync(street.Clip, time: time);
        Guid deployment = await street.PrepareAsync(host);
        Task<AuditEntry> ended = host.NextAsync("deployment.ended");

        time.Ahead = TimeSpan.FromHours(3);
        AuditEntry entry = await ended;

        Assert.Contains("before it was started", entry.Details, StringComparison.Ordinal);
        await using LfrStore store = host.Store();
        DeploymentRecord record = await RecordAsync(host, deployment);
        Assert.Equal(DeploymentState.Ended, record.State);
        Assert.InRange((await store.Watchlists.SingleAsync(Token)).DestroyBy!.Value, record.DraftedAt.AddHours(24), record.EndedAt!.Value.AddHours(24));
    }

    [Fact]
    public async Task Start_CameraInUse_IsRefusedAndNamesBoth()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid first = await street.PrepareAsync(host), second = await street.PrepareAsync(host, "Market");
        await Runner(host).StartAsync(Officer, first, Token);

        DeploymentRefusedException refused = await Assert.ThrowsAsync<DeploymentRefusedException>(() => Runner(host).StartAsync(Officer, second, Token));

        Assert.Contains("The camera gate is in use by \"High Street\".", refused.Message, StringComparison.Ordinal);
        Assert.Equal([first], Runner(host).Running.Select(d => d.Id));
    }

    [Fact]
    public async Task Run_CamerasEnd_PausesAndContinuesCounting()
    {
        await using RunningHost host = await Street.HostAsync(street.ShortClip, CameraPace.Max);
        Guid deployment = await street.PrepareAsync(host);
        Task<AuditEntry> paused = host.NextAsync("deployment.paused");
        await Runner(host).StartAsync(Officer, deployment, Token);
        AuditEntry entry = await paused;
        long once = (await RecordAsync(host, deployment)).FacesSeen;

        Assert.Contains("All cameras have ended.", entry.Details, StringComparison.Ordinal);
        paused = host.NextAsync("deployment.paused");
        await Runner(host).StartAsync(Officer, deployment, Token);
        await paused;
        await Runner(host).EndAsync(Officer, deployment, "Enough.");

        DeploymentRecord record = await RecordAsync(host, deployment);
        Assert.Equal((DeploymentState.Ended, 2 * once), (record.State, record.FacesSeen));
        await using LfrStore store = host.Store();
        Assert.Equal(["{\"runs\":1}", "{\"runs\":2}"], await store.Audit.Where(e => e.Action == "deployment.started").OrderBy(e => e.Sequence).Select(e => e.Details).ToArrayAsync(Token));
        Assert.Equal(2, await store.Alerts.CountAsync(Token));
    }

    [Fact]
    public async Task Run_CameraCannotBeOpened_PausesWithoutTellingItsAddress()
    {
        await using RunningHost host = await Street.HostAsync("no-such-secret-file.mp4");
        Guid deployment = await street.PrepareAsync(host);
        Task<AuditEntry> lost = host.NextAsync("camera.lost"), paused = host.NextAsync("deployment.paused");

        await Runner(host).StartAsync(Officer, deployment, Token);

        Assert.Contains("gate", (await lost).Details, StringComparison.Ordinal);
        Assert.Contains("gate", (await paused).Details, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", (await lost).Details + (await paused).Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_SearchedLessOftenThanTheAuthorityDemands_PausesAndSaysWhy()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        // Eight frames a second are searched.
        Guid deployment = await street.PrepareAsync(host, least: new LeastSearched(LeastSearched.Highest, 2));
        Task<AuditEntry> told = host.NextAsync("camera.searched-too-seldom"), paused = host.NextAsync("deployment.paused");

        await Runner(host).StartAsync(Officer, deployment, Token);

        JsonNode details = JsonNode.Parse((await told).Details)!;
        Assert.Equal(("gate", 30, 2), ((string?)details["camera"], (double?)details["least"], (int?)details["seconds"]));
        AuditEntry entry = await paused;
        Assert.Equal("engine", entry.ActorName);
        Assert.Contains("the authority demands at least 30", entry.Details, StringComparison.Ordinal);
        Assert.Equal(DeploymentState.Paused, (await RecordAsync(host, deployment)).State);
    }

    [Fact, Trait("Store", "sqlite")]
    public async Task Run_AlertCannotBeStored_StopsLoudly()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        await using (LfrStore store = host.Store())
            await store.Database.ExecuteSqlRawAsync("CREATE TRIGGER full BEFORE INSERT ON Alerts BEGIN SELECT RAISE(ABORT, 'no room'); END", Token);
        Task<AuditEntry> paused = host.NextAsync("deployment.paused");

        await Runner(host).StartAsync(Officer, deployment, Token);

        Assert.Contains("An alert could not be stored", (await paused).Details, StringComparison.Ordinal);
        Assert.Empty(Runner(host).Running);
    }

    [Fact]
    public async Task LivePicture_Watched_IsAJpegForOfficersWithPermission()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        using HttpClient sees = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator)), mayNot = await host.ClientAsync(await host.AddOfficerAsync("egon", Roles.EngagementOfficer));
        var address = new Uri("/pictures/live/gate", UriKind.Relative);

        Assert.Equal(HttpStatusCode.NotFound, (await sees.GetAsync(address, Token)).StatusCode);
        await Runner(host).StartAsync(Officer, deployment, Token);
        Assert.Equal(HttpStatusCode.Forbidden, (await mayNot.GetAsync(address, Token)).StatusCode);
        HttpResponseMessage answer;
        while ((answer = await sees.GetAsync(address, Token)).StatusCode == HttpStatusCode.NoContent)
            Assert.NotEmpty(Runner(host).Running);

        Assert.Equal((HttpStatusCode.OK, "image/jpeg", true), (answer.StatusCode, answer.Content.Headers.ContentType!.MediaType, answer.Headers.CacheControl!.NoStore));
        byte[] jpeg = await answer.Content.ReadAsByteArrayAsync(Token);
        Assert.True(jpeg.Length > 2000 && jpeg is [0xFF, 0xD8, .., 0xFF, 0xD9], $"{jpeg.Length} bytes");
        await using LfrStore store = host.Store();
        Assert.Equal("olga", (await store.Audit.SingleAsync(e => e.Action == "live.watched", Token)).ActorName);
    }

    [Fact]
    public async Task Metrics_WhileRunning_TellWhatWasErased()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        using HttpClient local = host.Client();
        Task<AuditEntry> alert = host.NextAsync("alert.raised");

        Assert.DoesNotContain("lfr_erasures_total", await local.GetStringAsync(new Uri("/metrics", UriKind.Relative), Token), StringComparison.Ordinal);
        await Runner(host).StartAsync(Officer, deployment, Token);
        await alert;
        string[] lines = (await local.GetStringAsync(new Uri("/metrics", UriKind.Relative), Token)).Split('\n');

        double Of(string metric) => double.Parse(Assert.Single(lines, l => l.StartsWith(metric + " ", StringComparison.Ordinal))[(metric.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(1, Of("lfr_alerts_total{camera=\"gate\"}"));
        Assert.True(Of("lfr_erasures_total{kind=\"frame\"}") > 10);
        Assert.True(Of("lfr_erasure_lifetime_seconds{kind=\"frame\",quantile=\"0.99\"}") > 0);
        Assert.True(Of("lfr_capture_to_alert_seconds{quantile=\"1\"}") > 0);
    }

    internal static DeploymentRunner Runner(RunningHost host) => host.Services.GetRequiredService<DeploymentRunner>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<DeploymentRecord> RecordAsync(RunningHost host, Guid deployment)
    {
        await using LfrStore store = host.Store();
        return await store.Deployments.SingleAsync(d => d.Id == deployment, Token);
    }
}

/// <summary>Waiting for what a host writes down.</summary>
internal static class JournalWaiting
{
    // Far above what is expected, far below a hang.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    /// <summary>The next entry of an action, from now on.</summary>
    public static Task<AuditEntry> NextAsync(this RunningHost host, string action)
    {
        var found = new TaskCompletionSource<AuditEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Journal.Written += entries =>
        {
            if (entries.FirstOrDefault(e => e.Action == action) is { } entry)
                found.TrySetResult(entry);
        };
        return found.Task.WaitAsync(Bound, TestContext.Current.CancellationToken);
    }
}
