using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Web.Tests.Authorities;
using LfrEngine.Records.Security;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Browser;

/// <summary>The first page shows each officer their own tasks only.</summary>
[Trait("Speed", "slow")]
public sealed class OverviewBrowserTests(BrowserFixture browser)
{
    [Fact]
    public async Task NewInstallation_NothingDone_LeadsToTheFirstSteps()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer ada = await host.AddOfficerAsync("ada", Roles.Administrator);
        await browser.WithPageAsync(host, ada, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await Expect(p.GetByText("No tasks.")).ToBeVisibleAsync();
            await Expect(p.Locator("ol.tasks li")).ToHaveCountAsync(5);
            await Expect(p.Locator("ol.tasks a")).ToHaveCountAsync(2);
            await p.GetByRole(AriaRole.Link, new() { Name = "Invite officers" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Officers", Exact = true })).ToBeVisibleAsync();

            await page.GoAsync("/");
            await host.AddOfficerAsync("olga", Roles.Operator);
            await page.GoAsync("/");
            await Expect(p.Locator("ol.tasks li").First).ToContainTextAsync("done:");
        });
    }

    [Fact]
    public async Task Draft_NamesAnOfficer_WaitsForThatOfficerAlone()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.DraftAsync();
        await browser.WithPageAsync(stage.Host, stage.Signer, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("overview");
            await p.GetByRole(AriaRole.Link, new() { Name = "Read and sign the authority of" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true })).ToBeVisibleAsync();
            await Expect(p).ToHaveURLAsync($"{ConsolePage.OriginOf(stage.Host)}/deployments/{id}");
        });
        Officer other = await stage.Host.AddOfficerAsync("saul", Roles.AuthorisingOfficer);
        foreach (Officer officer in new[] { stage.Drafter, other })
        {
            await browser.WithPageAsync(stage.Host, officer, async page =>
            {
                await page.GoAsync("/");
                await Expect(page.Page.GetByText("No tasks.")).ToBeVisibleAsync();
            });
        }
        await stage.SignAsync(id);
        stage.Time.Now += TimeSpan.FromHours(2);
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            await page.GoAsync("/");
            await Expect(page.Page.GetByRole(AriaRole.Link, new() { Name = "may run until" })).ToHaveAttributeAsync("href", "operations");
            await Expect(page.Page.Locator("ol.tasks")).ToHaveCountAsync(0);
        });
    }

    [Fact]
    public async Task Alert_IsRaisedWhileThePageIsOpen_IsCounted()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await Expect(p.GetByText("No tasks.")).ToBeVisibleAsync();
            await material.RaiseAsync(await material.AddPersonAsync());
            await Expect(p.GetByRole(AriaRole.Link, new() { Name = "Alerts to judge: 1" })).ToBeVisibleAsync();
        });
    }
}
