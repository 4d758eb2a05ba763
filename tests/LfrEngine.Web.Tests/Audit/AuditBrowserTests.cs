using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
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
        Officer auditor = await host.AddOfficerAsync("anna", Roles.Auditor);
        await browser.WithPageAsync(host, auditor, async page =>
        {
            IPage p = page.Page;
            ILocator rows = p.Locator("tbody tr");
            await page.GoAsync("/audit");
            await Expect(rows.Filter(new() { HasText = "deployment.signed" })).ToHaveCountAsync(1);
            await page.AssertAccessibleAsync();
            await page.ShootAsync("audit");
            await p.Locator("#audit-action").FillAsync("alert.decided");
            await p.Keyboard.PressAsync("Enter");
            await Expect(rows).ToHaveCountAsync(3);
            await p.GetByRole(AriaRole.Button, new() { Name = "Show who viewed what" }).ClickAsync();
            await Expect(rows).ToHaveCountAsync(2);

            await page.GoAsync("/transparency");
            await Expect(rows.First).ToContainTextAsync("1 of 12345 = 0.0081 %");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("transparency");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "CSV" }).ClickAsync());
            Assert.Equal("deployments.csv", download.SuggestedFilename);
            Assert.Contains("High Street,2026-03-01", await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        });
    }
}
