using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;
using LfrEngine.Web.Tests.Browser;
using LfrEngine.Web.Tests.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>Two deployments at once on one installation: two lists, two cameras with the same people passing, two crews.</summary>
[Trait("Speed", "slow")]
public sealed class TwoDeploymentsTests(BrowserFixture browser, Street street) : IClassFixture<Street>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_TwoListsTwoCrews_NobodySeesTheOthers()
    {
        await using RunningHost host = await HostAsync();
        Guid high = await street.PrepareAsync(host, cameras: ["gate"]), market = await street.PrepareAsync(host, "Market", photo: (await SamplePhotos.GetAsync()).Man, cameras: ["north"]);
        Officer anna = await host.AddOfficerAsync("anna", Roles.Operator), bert = await host.AddOfficerAsync("bert", Roles.Operator);
        await Crews.SetAsync(host.Journal, Of(anna), high, [anna.Id]);
        await Crews.SetAsync(host.Journal, Of(bert), market, [bert.Id]);
        using HttpClient ofAnna = await host.ClientAsync(anna), ofBert = await host.ClientAsync(bert);
        DeploymentRunner runner = DeploymentRunnerTests.Runner(host);
        Task<AuditEntry> ofHigh = RaisedAsync(host, high), ofMarket = RaisedAsync(host, market);

        Assert.Contains("crew", (await Assert.ThrowsAsync<DeploymentRefusedException>(() => runner.StartAsync(Of(bert), high, Token))).Message, StringComparison.Ordinal);
        await runner.StartAsync(Of(bert), market, Token);
        await runner.StartAsync(Of(anna), high, Token);
        Assert.Equal([market, high], runner.Running.Select(d => d.Id));
        // Both people pass both cameras, and each is on one of the lists.
        AuditEntry raised = await ofHigh;
        await ofMarket;

        Guid alert = AlertActions.AlertOf(raised.Subject);
        Assert.Equal("gate", Assert.Single((await ofAnna.GetFromJsonAsync<JsonElement>(Path("/api/v1/alerts"), Token)).EnumerateArray()).GetProperty("camera").GetString());
        Assert.Equal("north", Assert.Single((await ofBert.GetFromJsonAsync<JsonElement>(Path("/api/v1/alerts"), Token)).EnumerateArray()).GetProperty("camera").GetString());
        foreach (string path in new[] { $"/api/v1/alerts/{alert}", $"/pictures/alerts/{alert}/probe" })
        {
            Assert.Equal(HttpStatusCode.OK, (await ofAnna.GetAsync(Path(path), Token)).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await ofBert.GetAsync(Path(path), Token)).StatusCode);
        }
        Assert.NotEqual(HttpStatusCode.NotFound, (await ofAnna.GetAsync(Path("/pictures/live/gate"), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await ofBert.GetAsync(Path("/pictures/live/gate"), Token)).StatusCode);
        Assert.Equal(high, Assert.Single((await ofAnna.GetFromJsonAsync<JsonElement>(Path("/api/v1/operations"), Token)).EnumerateArray()).GetProperty("deployment").GetGuid());
        Assert.Equal(market, Assert.Single((await ofBert.GetFromJsonAsync<JsonElement>(Path("/api/v1/operations"), Token)).EnumerateArray()).GetProperty("deployment").GetGuid());
        AlertService alerts = host.Services.GetRequiredService<AlertService>();
        Assert.Empty(await alerts.NewlyAsync(Of(bert), AlertState.Raised, [raised], Token));
        Assert.Single(await alerts.NewlyAsync(Of(anna), AlertState.Raised, [raised], Token));
        Assert.Contains("crew", (await Assert.ThrowsAsync<DeploymentRefusedException>(() => runner.PauseAsync(Of(bert), high))).Message, StringComparison.Ordinal);

        await runner.EndAsync(Of(anna), high, "The shift is over.");
        Assert.Equal([market], runner.Running.Select(d => d.Id));
        await runner.EndAsync(Of(bert), market, "The shift is over.");
        await using LfrStore store = host.Store();
        foreach ((Guid deployment, string camera) in new[] { (high, "gate"), (market, "north") })
        {
            // One each, and on a slow machine more, when the people pass again after a while.
            int count = await store.Alerts.CountAsync(a => a.DeploymentId == deployment && a.JoinedAlertId == null, Token);
            Assert.True(count >= 1);
            string ended = await store.Audit.Where(e => e.Subject == $"deployment/{deployment}" && e.Action == "deployment.ended").Select(e => e.Details).SingleAsync(Token);
            ErasureReceipt receipt = ErasureReceipt.Verify(host.Installation.DataPath("receipts", (string)JsonNode.Parse(ended)!["receipt"]!), SignedDocument.TrustedPem(null));
            Assert.Equal([camera], receipt.Cameras);
            Assert.Equal((count, 0L), (receipt.Alerts, receipt.Erased.FrameBuffersHeld));
            Assert.True(receipt.FacesSeen > 0);
        }
        // No cross-alert: whoever was alerted is on the deployment's own list, and was seen by its own camera.
        Assert.All(await store.Alerts.ToArrayAsync(Token), a => Assert.Equal(a.DeploymentId == high ? "gate" : "north", a.Camera));
        Assert.Equal(await store.Alerts.CountAsync(Token), (await store.Alerts.Where(a => store.People.Any(p => p.Id == a.PersonId && store.Deployments.Any(d => d.Id == a.DeploymentId && d.WatchlistId == p.WatchlistId))).ToArrayAsync(Token)).Length);
    }

    /// <summary>The story of a deployment, twice at once: two crews at their browsers, until the figures are published.</summary>
    [Fact]
    public async Task Story_TwoCrewsAtOnce_EachSeesAndEndsItsOwn()
    {
        await using RunningHost host = await HostAsync();
        await street.PrepareAsync(host, cameras: ["gate"]);
        Guid market = await street.PrepareAsync(host, "Market", photo: (await SamplePhotos.GetAsync()).Man, cameras: ["north"]);
        Officer anna = await host.AddOfficerAsync("anna", Roles.Operator), bert = await host.AddOfficerAsync("bert", Roles.Operator), emil = await host.AddOfficerAsync("emil", Roles.EngagementOfficer), auditor = await host.AddOfficerAsync("ada", Roles.Auditor);

        await browser.WithPageAsync(host, anna, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await p.GetByRole(AriaRole.Button, new() { Name = "High Street" }).ClickAsync();
            await Expect(p.GetByText("Everybody whose role allows it.")).ToBeVisibleAsync();
            await p.Locator("summary", new() { HasTextString = "Crew" }).ClickAsync();
            await p.GetByLabel("anna", new() { Exact = true }).CheckAsync();
            await p.GetByLabel("emil", new() { Exact = true }).CheckAsync();
            await page.AssertAccessibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Save crew" }).ClickAsync();
            await Expect(p.GetByText("Crew: anna, emil")).ToBeVisibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "gate" })).ToBeVisibleAsync();
        });
        await browser.WithPageAsync(host, bert, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Market" })).ToBeVisibleAsync();
            await Expect(p.GetByText("High Street")).ToHaveCountAsync(1); // The place of the market.
            await p.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "north" })).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "gate" })).ToHaveCountAsync(0);
            await page.GoAsync("/duty");
            await p.Locator(".alert-row").First.ClickAsync();
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(1);
            await Expect(p.Locator(".alert-detail")).ToContainTextAsync("Market");
            await p.Keyboard.PressAsync("r");
            await Expect(p.Locator("#reject-confirm")).ToBeFocusedAsync();
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: rejected");
        });
        await browser.WithPageAsync(host, anna, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/duty");
            await p.Locator(".alert-row").First.ClickAsync();
            await Expect(p.Locator(".alert-detail")).ToContainTextAsync("High Street");
            await p.Keyboard.PressAsync("v");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: viable");
        });
        await browser.WithPageAsync(host, emil, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/alerts/street");
            foreach (AlertState to in (AlertState[])[AlertState.Engaged, AlertState.Confirmed, AlertState.Arrest])
            {
                await p.Locator($"[data-to={to}]").TapAsync();
                await Expect(p.Locator($"[data-to={to}]")).ToHaveCountAsync(0);
            }
        }, BrowserFixture.Phone);
        foreach ((Officer officer, string name) in new[] { (anna, "High Street"), (bert, "Market") })
        {
            await browser.WithPageAsync(host, officer, async page =>
            {
                IPage p = page.Page;
                await page.GoAsync("/operations");
                if (officer == anna)
                    await p.GetByRole(AriaRole.Button, new() { Name = "High Street" }).ClickAsync();
                await Expect(p.GetByRole(AriaRole.Heading, new() { Name = name })).ToBeVisibleAsync();
                await p.GetByRole(AriaRole.Button, new() { Name = "End", Exact = true }).ClickAsync();
                await p.GetByLabel("Reason for the end (recorded in the audit trail)").FillAsync("The shift is over.");
                await p.GetByRole(AriaRole.Button, new() { Name = "Yes, end it" }).ClickAsync();
                await Expect(p.GetByText($"{name} has ended.")).ToBeVisibleAsync();
            });
            Assert.Equal(officer == anna ? [market] : [], DeploymentRunnerTests.Runner(host).Running.Select(d => d.Id));
        }
        await browser.WithPageAsync(host, auditor, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/transparency");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "CSV" }).ClickAsync());
            string[] lines = await File.ReadAllLinesAsync(await download.PathAsync(), Token);
            string[] columns = lines[0].TrimStart('\uFEFF').Split(',');
            string Of(string deployment, string column) => lines.Single(l => l.StartsWith(deployment + ",", StringComparison.Ordinal)).Split(',')[Array.IndexOf(columns, column)];
            Assert.Equal(("1", "0", "1"), (Of("High Street", "Total alerts"), Of("High Street", "Incorrect alerts"), Of("High Street", "Arrests or disposals")));
            // Who was judged to be somebody else and passes again raises another alert.
            int raised = await host.ReadAsync(s => s.Alerts.CountAsync(a => a.DeploymentId == market && a.JoinedAlertId == null));
            Assert.Equal(($"{raised}", "1", "0"), (Of("Market", "Total alerts"), Of("Market", "Incorrect alerts"), Of("Market", "Arrests or disposals")));
        });
    }

    /// <summary>The real program: what belongs to one deployment is gone from its memory at the end of that deployment, while the other runs.</summary>
    [Fact, Trait("Store", "sqlite")]
    public async Task Serve_OneOfTwoEnds_NothingOfItIsInMemory()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Reads /proc, which only Linux has.");
        await using RunningHost host = await HostAsync();
        Guid high = await street.PrepareAsync(host, cameras: ["gate"]), market = await street.PrepareAsync(host, "Market", photo: (await SamplePhotos.GetAsync()).Man, cameras: ["north"]);
        System.Net.Cookie session = await host.SessionAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        var needles = new NeedleSet();
        await using (LfrStore store = host.Store())
        {
            foreach ((Guid deployment, string kind) in new[] { (high, "high"), (market, "market") })
            {
                Guid id = await store.Deployments.Where(d => d.Id == deployment).Select(d => d.WatchlistId).SingleAsync(Token);
                using Watchlist list = host.Services.GetRequiredService<WatchlistService>().Open(await store.Watchlists.SingleAsync(w => w.Id == id, Token));
                needles.Add(kind, MemoryMarshal.AsBytes(list.Embeddings), step: 8);
            }
        }
        string config = await KilledTests.WriteConfigAsync(host, street.LongClip, "gate", "north");
        await host.StopAsync();

        using Process serve = KilledTests.Start("serve", "--config", config);
        try
        {
            using HttpClient client = await RunningHost.ClientAsync(await KilledTests.AddressAsync(serve, Token), session);
            foreach (Guid deployment in new[] { high, market })
            {
                using HttpResponseMessage started = await client.PostAsync(Path($"/api/v1/deployments/{deployment}/start"), null, Token);
                Assert.True(started.IsSuccessStatusCode, await started.Content.ReadAsStringAsync(Token));
            }
            MemoryScan both = MemoryScanner.Scan(serve.Id, needles);
            Assert.True(both.Of("high") > 0 && both.Of("market") > 0, both.ToString());

            using HttpResponseMessage ended = await client.PostAsJsonAsync(Path($"/api/v1/deployments/{high}/end"), new { reason = "The shift is over." }, Token);
            Assert.True(ended.IsSuccessStatusCode, await ended.Content.ReadAsStringAsync(Token));
            MemoryScan one = MemoryScanner.Scan(serve.Id, needles);
            Assert.True(one.Of("high") == 0 && one.Of("market") > 0, one.ToString());
        }
        finally
        {
            serve.Kill();
            await serve.WaitForExitAsync(Token);
            await host.StartAgainAsync();
        }
    }

    private Task<RunningHost> HostAsync() => RunningHost.StartAsync((config, folder) => LfrEngine.Host.Perf.Van.Configure(config, folder) with
    {
        Cameras = [new CameraConfig { Name = "gate", Source = street.LongClip }, new CameraConfig { Name = "north", Source = street.LongClip }],
    });

    private static Actor Of(Officer officer) => new(officer.Id.ToString(), officer.DisplayName);

    private static Uri Path(string path) => new(path, UriKind.Relative);

    private static Task<AuditEntry> RaisedAsync(RunningHost host, Guid deployment)
    {
        var raised = new TaskCompletionSource<AuditEntry>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Journal.Written += entries =>
        {
            if (entries.FirstOrDefault(e => e.Action == AlertActions.Raised && AlertActions.DeploymentOf(e) == deployment) is { } entry)
                raised.TrySetResult(entry);
        };
        return raised.Task.WaitAsync(TimeSpan.FromSeconds(120), Token);
    }
}
