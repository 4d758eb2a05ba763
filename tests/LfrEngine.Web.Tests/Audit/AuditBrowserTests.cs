using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Records.Watchlists;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests;

/// <summary>The auditor's pages in a real browser.</summary>
[Trait("Speed", "slow")]
public sealed class AuditBrowserTests(BrowserFixture browser)
{
    [Fact]
    public async Task AuditorsPages_FilterAndDownload_AreAccessible()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        var trail = new TransparencyTests.Trail();
        string deployment = trail.Deployment("High Street", "2026-03-01", 7200, 12_345);
        trail.Decide(trail.Alert(deployment), AlertState.Viable, AlertState.Engaged, AlertState.Incorrect);
        await trail.WriteAsync(host.Journal);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        var actor = new Actor(olga.Id.ToString(), "Olga Sample");
        Guid list = await host.Services.GetRequiredService<WatchlistService>().CreateAsync(actor, "Spring list", TestContext.Current.CancellationToken);
        await host.Journal.NoteAsync(actor, "alert.decided", "alert/2f0c81d3-0000-0000-0000-000000000000", new { From = AlertState.Raised, To = AlertState.Viable }, TestContext.Current.CancellationToken);
        Officer auditor = await host.AddOfficerAsync("anna", Roles.Auditor);
        await browser.WithPageAsync(host, auditor, async page =>
        {
            IPage p = page.Page;
            ILocator rows = p.Locator("tbody tr");
            await page.GoAsync("/audit");
            await Expect(rows.Filter(new() { HasText = "The engine signed the authority of deployment" })).ToHaveCountAsync(1);
            ILocator judged = rows.Filter(new() { HasText = "Olga Sample judged alert 2f0c81d3 viable." }), json = judged.Locator("pre");
            await Expect(json).ToBeHiddenAsync();
            await judged.GetByText("as JSON").FocusAsync();
            await p.Keyboard.PressAsync("Enter");
            await Expect(json).ToBeVisibleAsync();
            await Expect(json).ToContainTextAsync("\"action\": \"alert.decided\"");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("audit");
            await p.Locator("#audit-action").FillAsync("alert.decided");
            await p.Keyboard.PressAsync("Enter");
            await Expect(rows).ToHaveCountAsync(4);
            await p.GetByRole(AriaRole.Button, new() { Name = "Show who viewed what" }).ClickAsync();
            await Expect(rows).ToHaveCountAsync(2);

            // What a sentence names leads to what is recorded about it: by the officer, and from there about the list, which an auditor may not open.
            await page.GoAsync("/audit");
            await p.GetByRole(AriaRole.Link, new() { Name = "alert 2f0c81d3" }).ClickAsync();
            await Expect(rows).ToHaveCountAsync(1);
            await rows.GetByRole(AriaRole.Link, new() { Name = "Olga Sample" }).ClickAsync();
            await Expect(rows).ToHaveCountAsync(2);
            await p.GetByRole(AriaRole.Link, new() { Name = "watchlist Spring list" }).ClickAsync();
            await Expect(rows).ToHaveCountAsync(1);
            await Expect(p.Locator("#audit-subject")).ToHaveValueAsync($"watchlist/{list}");

            await page.GoAsync("/transparency");
            await Expect(rows.First).ToContainTextAsync("1 of 12345 = 0.0081 %");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("transparency");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "CSV" }).ClickAsync());
            Assert.Equal("deployments.csv", download.SuggestedFilename);
            Assert.Contains("High Street,2026-03-01", await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        });

        // An inspector follows links, and each page is recorded though only the first is a request; what is refused is not.
        await browser.WithPageAsync(host, await host.AddOfficerAsync("ines", Roles.Inspector), async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/inspection");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("inspection");
            await Expect(p.GetByRole(AriaRole.Navigation).First.GetByRole(AriaRole.Link, new() { Name = "Operations" })).ToHaveCountAsync(0);
            IDownload file = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "Download the inspection file" }).ClickAsync());
            Assert.Equal("inspection.zip", file.SuggestedFilename);
            await p.Locator("#content").GetByRole(AriaRole.Link, new() { Name = "Receipts" }).ClickAsync();
            await Expect(p.Locator("h1")).ToHaveTextAsync("Erasure receipts");
            await p.GotoAsync(ConsolePage.OriginOf(host) + "/operations");
            await page.GoAsync("/audit");
            await p.Locator("#audit-action").FillAsync("inspector.looked");
            await p.Keyboard.PressAsync("Enter");
            await Expect(Rows(p)).ToHaveCountAsync(4);
            await Expect(Rows(p).Filter(new() { HasText = "ines looked as an inspector at the page /receipts" })).ToHaveCountAsync(1);
            await Expect(Rows(p).Filter(new() { HasText = "and took /api/v1/inspection" })).ToHaveCountAsync(1);

            static ILocator Rows(IPage p) => p.Locator("tbody tr");
        });
    }
}
