using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Records.Cameras;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Tests.Browser;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The operations page in a real browser, by keyboard, while the engine runs.</summary>
[Trait("Speed", "slow")]
public sealed class OperationsBrowserTests(BrowserFixture browser, Street street) : IClassFixture<Street>
{
    [Fact]
    public async Task Cameras_Administrator_TestsDrawsAZoneByPointerAndKeyboardAndRemoves()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        Officer ada = await host.AddOfficerAsync("ada", Roles.Administrator);
        await browser.WithPageAsync(host, ada, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/cameras/setup");
            await Expect(p.GetByText("In lfr.json")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Name", new() { Exact = true }).FillAsync("square");
            await p.GetByLabel("Address").FillAsync($"rtsp://van:secret@127.0.0.1:{FreePort.Tcp()}/none");
            await p.GetByRole(AriaRole.Button, new() { Name = "Test", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Not done. Fix these problems:")).ToBeVisibleAsync();
            await Expect(p.GetByText("van:")).ToHaveCountAsync(0);

            await p.GetByLabel("Address").FillAsync(street.ShortClip);
            await p.GetByRole(AriaRole.Button, new() { Name = "Test", Exact = true }).ClickAsync();
            await Expect(p.Locator("#findings")).ToContainTextAsync("h264");
            await Expect(p.Locator("#findings")).ToContainTextAsync("pixels between the eyes");
            await p.WaitForFunctionAsync("() => { const i = document.querySelector('.zone-picture img'); return i.complete && i.naturalWidth === 640 && i.naturalHeight === 360; }");
            await p.GetByRole(AriaRole.Button, new() { Name = "Draw a zone" }).ClickAsync();
            ILocator corners = p.Locator("[data-corner]");
            await Expect(corners).ToHaveCountAsync(4);
            await corners.Nth(0).PressAsync("ArrowRight");
            await corners.Nth(0).PressAsync("Shift+ArrowDown");
            await Expect(corners.Nth(0)).ToHaveAttributeAsync("aria-label", "Corner 1: 11 % from the left, 15 % from the top");
            LocatorBoundingBoxResult box = (await p.Locator(".zone-picture").BoundingBoxAsync())!;
            await corners.Nth(1).HoverAsync();
            await p.Mouse.DownAsync();
            await p.Mouse.MoveAsync(box.X + (box.Width * 0.8f), box.Y + (box.Height * 0.2f));
            await p.Mouse.UpAsync();
            await Expect(corners.Nth(1)).ToHaveAttributeAsync("aria-label", new System.Text.RegularExpressions.Regex("^Corner 2: (79|80|81)(\\.\\d)? % from the left, (19|20|21)(\\.\\d)? % from the top$"));
            await p.Mouse.ClickAsync(box.X + (box.Width * 0.5f), box.Y + (box.Height * 0.97f));
            await Expect(corners).ToHaveCountAsync(5);
            await corners.Nth(4).PressAsync("Delete");
            await Expect(corners).ToHaveCountAsync(4);
            await p.GetByLabel("Board 1: metres ahead of the camera").FillAsync("10");
            await Expect(p.GetByText("Board 1 is inside the area: people are filmed before they can read it. Move it out.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.Locator(".beside").EvaluateAsync("e => scrollTo(0, e.offsetTop - 70)");
            await page.ShootAsync("cameras");
            await p.GetByRole(AriaRole.Button, new() { Name = "Add the camera" }).ClickAsync();
            await Expect(p.GetByText("Saved.")).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Row, new() { Name = "square" })).ToContainTextAsync("Part of the picture");
        });
        CameraConfig saved = host.Services.GetRequiredService<CameraRegister>().Find("square")!;
        Assert.StartsWith("11,15 ", saved.Zone!, StringComparison.Ordinal);
        Assert.Equal(10, saved.Mounting!.Boards.Single().Ahead);
        // Nothing of the picture is kept.
        Assert.Empty(Directory.EnumerateFiles(host.Installation.DataFolder, "*.jp*g", SearchOption.AllDirectories));
        await browser.WithPageAsync(host, ada, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/cameras/setup");
            await p.GetByRole(AriaRole.Button, new() { Name = "Test square" }).ClickAsync();
            await Expect(p.Locator("[data-corner]")).ToHaveCountAsync(4);
            await Expect(p.GetByLabel("Board 1: metres ahead of the camera")).ToHaveValueAsync("10");
            await page.AssertAccessibleAsync();
            Assert.Equal(390, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
            await p.GetByRole(AriaRole.Button, new() { Name = "Remove square" }).ClickAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Remove", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Camera removed.")).ToBeVisibleAsync();
        }, BrowserFixture.Phone);
        Assert.Equal(["camera.tested", "camera.tested", "camera.added", "camera.tested", "camera.removed"], await host.ReadAsync(s => s.Audit.Where(e => e.Subject == "camera/square").OrderBy(e => e.Sequence).Select(e => e.Action).ToArrayAsync()));
    }

    /// <summary>Somebody who stands still is in every moment of the picture, and cannot be found in it all the same.</summary>
    [Fact]
    public void Cameras_StillPicture_ShowsNobody()
    {
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using MediaFrame photo = MediaReader.ReadPicture(File.ReadAllBytes(street.Photo));
        FrameView view = FrameLease.ViewOf(photo);
        using var still = new StillPicture(models);
        for (int i = 0; i < 20; i++)
            still.Add(view);
        using HostBuffer<byte> jpeg = still.Take(out int sizeBytes);
        using MediaFrame made = MediaReader.ReadPicture(jpeg.Span[..sizeBytes]);
        using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);

        Assert.Equal(1, analyzer.FindReal(view, out _).Length);
        Assert.Equal(0, analyzer.FindReal(FrameLease.ViewOf(made), out _).Length);
    }

    [Fact]
    public async Task Operations_FromStartToEndByKeyboard_ShowsLivePicturesAndThenTheResult()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        Guid deployment = await street.PrepareAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await Expect(p.GetByText("No deployment is running.")).ToBeVisibleAsync();
            await Expect(p.GetByText("The authority ends in")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await PressAsync(p, "Start");

            ILocator picture = p.GetByAltText("Live picture of camera gate. Everybody is pixelated unless they raised an alert; in the first minute, everything.");
            await Expect(picture).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^blob:"));
            await p.WaitForFunctionAsync("() => { const i = document.querySelector('img.live'); return i.complete && i.naturalWidth === 640 && i.naturalHeight === 360; }");
            await Expect(Health(p)).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations");
            await page.GoAsync("/");
            await Expect(Health(p)).ToContainTextAsync("gate:");

            await page.GoAsync("/duty");
            await Expect(p.Locator(".duty-wall img.live")).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^blob:"));
            await Expect(Health(p)).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("duty-cameras");
            await p.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await page.AssertAccessibleAsync();

            // A picture that does not come says why, and comes again by itself.
            await p.RouteAsync("**/pictures/live/**", r => r.FulfillAsync(new() { Status = 204 }));
            await Expect(p.Locator(".live-why")).ToHaveTextAsync("No live picture: the camera has sent none in the last seconds.");
            await p.UnrouteAllAsync();
            await Expect(p.Locator(".live-why")).ToBeEmptyAsync();

            await Eventually.HoldsAsync(() => host.ReadAsync(s => s.Alerts.AnyAsync()), "an alert was raised");
            // At once; the reason is asked for afterwards, on any page.
            await PressAsync(p, "Pause");
            await Expect(p.GetByText("Paused. Why?")).ToBeVisibleAsync();
            await Expect(p.Locator("img.live")).ToHaveCountAsync(0);
            await page.GoAsync("/operations");
            await Expect(p.GetByText("Paused. Why?")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Reason (recorded in the audit trail)").FocusAsync();
            await p.Keyboard.TypeAsync("A break.");
            await PressAsync(p, "Save reason");
            await Expect(p.GetByText("A break.")).ToBeVisibleAsync();
            await Expect(p.GetByText("Paused. Why?")).ToHaveCountAsync(0);
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true })).ToBeVisibleAsync();

            await PressAsync(p, "End");
            await p.GetByLabel("Reason for the end (recorded in the audit trail)").FillAsync("The shift is over.");
            await PressAsync(p, "Yes, end it");
            await p.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
            await Expect(p.Locator("h1")).ToHaveTextAsync("Result: High Street");
            string file = Assert.Single(Directory.GetFiles(Path.GetDirectoryName(host.Installation.DataPath("receipts", "_"))!));
            string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            ErasureReceipt receipt = ErasureReceipt.Verify(file, SignedDocument.TrustedPem(null));
            await Expect(p.Locator("#faces-seen")).ToHaveTextAsync(receipt.FacesSeen.ToString(CultureInfo.InvariantCulture));
            await Expect(p.Locator("#outcomes tbody tr")).ToHaveTextAsync(["Not judged1"]);
            await Expect(p.Locator("#lifetimes tbody tr").Filter(new() { HasText = "Embeddings" })).ToContainTextAsync(string.Create(CultureInfo.InvariantCulture, $"{receipt.Lifetimes.Embedding.MaximumMs:0.0} ms"));
            await Expect(p.GetByText($"missed {receipt.Lifetimes.DeadlineBreaches} time")).ToBeVisibleAsync();
            await Expect(p.Locator("#receipts")).ToContainTextAsync("Signature verified.");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "Download " }).ClickAsync());
            Assert.Equal(text, await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken));
            await page.AssertAccessibleAsync();
            await page.ShootAsync("result");
            await p.SetViewportSizeAsync(390, 844);
            await page.GoAsync($"/deployments/{deployment}/result");
            await Expect(p.Locator("#receipts")).ToBeVisibleAsync();
            Assert.Equal("", await p.EvaluateAsync<string>("document.documentElement.scrollWidth <= innerWidth ? '' : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest('.table')).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().left) + ' ' + Math.round(e.getBoundingClientRect().right)).join('\\n')"));
            await p.SetViewportSizeAsync(1366, 768);

            // A genuine receipt of another deployment does not stand in for this one's, nor does an altered one; a lost one is told.
            ILocator row = p.Locator("tbody tr");
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("High Street");
            await Expect(row).ToContainTextAsync("Signature verified.");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("receipts");
            string other = file.Replace(receipt.Run!, "20260514T093012-k3f9x2", StringComparison.Ordinal);
            File.Copy(file, other);
            Assert.Equal(ReceiptVerdict.Refused, Shelf(host).Check(new ReceiptName(Path.GetFileName(other), receipt.EndedAt, $"deployment/{deployment}")).Verdict);
            File.Delete(other);
            await File.WriteAllTextAsync(file, text.Replace($"\"facesSeen\":{receipt.FacesSeen},", $"\"facesSeen\":{receipt.FacesSeen + 1},", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("Not verified");
            File.Delete(file);
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("Missing");
            await page.GoAsync($"/deployments/{deployment}/result");
            await Expect(p.GetByText("No receipt of this deployment could be verified")).ToBeVisibleAsync();
        });
        AuditEntry[] trail = await host.ReadAsync(s => s.Audit.Where(e => e.Action.StartsWith("deployment.pause")).OrderBy(e => e.Sequence).ToArrayAsync());
        Assert.Equal(["deployment.paused", "deployment.pause-explained"], trail.Select(e => e.Action));
        Assert.All(trail, e => Assert.Equal("olga", e.ActorName));
        Assert.DoesNotContain("reason", trail[0].Details, StringComparison.Ordinal);
        Assert.Equal("{\"reason\":\"A break.\"}", trail[1].Details);
    }

    [Fact]
    public async Task Operations_AuditorOnAPhone_SeesHealthAndNoPictures()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        Guid deployment = await street.PrepareAsync(host);
        Officer arno = await host.AddOfficerAsync("arno", Roles.Auditor);
        await DeploymentRunnerTests.Runner(host).StartAsync(new Actor(arno.Id.ToString(), "arno"), deployment, TestContext.Current.CancellationToken);
        await browser.WithPageAsync(host, arno, async page =>
        {
            await page.GoAsync("/operations");
            await Expect(Health(page.Page)).ToBeVisibleAsync();
            await Expect(page.Page.GetByText("Your roles do not include live pictures.")).ToBeVisibleAsync();
            await Expect(page.Page.Locator("img.live")).ToHaveCountAsync(0);
            await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true })).ToHaveCountAsync(0);
            Assert.True(await page.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than the phone.");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations-phone");
        }, BrowserFixture.Phone);
        using HttpClient local = host.Client();
        string metrics = await local.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        string[] conditions = [.. metrics.Split('\n').Where(l => l.StartsWith("lfr_camera_condition{camera=\"gate\"", StringComparison.Ordinal))];
        Assert.Equal(4, conditions.Length);
        Assert.Single(conditions, l => l.EndsWith(" 1", StringComparison.Ordinal));
        Assert.Contains("\nlfr_camera_skipped_ratio{camera=\"gate\"} ", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlfr_camera_late_seconds{camera=\"gate\"} ", metrics, StringComparison.Ordinal);

        // Programs pause at once too.
        using HttpClient program = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("pause", null));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("pause-reason", " "));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("pause-reason", "A break."));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync("pause-reason", "Another."));
        Assert.Equal((DeploymentState.Paused, "A break."), await host.ReadAsync(async s => await s.Deployments.Select(d => new ValueTuple<DeploymentState, string?>(d.State, d.StateReason)).SingleAsync()));

        async Task<HttpStatusCode> PostAsync(string action, string? reason)
        {
            using HttpResponseMessage answer = await program.PostAsync(new Uri($"/api/v1/deployments/{deployment}/{action}", UriKind.Relative), reason is null ? null : JsonContent.Create(new { reason }), TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    // How well the engine follows depends on what else the machine does: that there are pictures is enough.
    private static ILocator Health(IPage page) => page.Locator(".health:not([data-condition=Lost])").First;

    private static ReceiptShelf Shelf(RunningHost host) => (ReceiptShelf)host.Services.GetService(typeof(ReceiptShelf))!;

    // As who has no mouse does it.
    private static async Task PressAsync(IPage page, string button)
    {
        ILocator found = page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true });
        await Expect(found).ToBeEnabledAsync();
        await found.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
