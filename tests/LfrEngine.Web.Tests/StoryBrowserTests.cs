using LfrEngine.Web.Tests.Browser;
using LfrEngine.Web.Tests.Deployments;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests;

/// <summary>A deployment from its authority to what is published of it: everybody in their own browser, the real engine on a real clip.</summary>
/// <remarks>
/// After every step the power is cut as far as a second server can tell: it starts on the data as they lie on the disk at that moment, and must know all
/// that was done, with an unbroken trail, and must not go on running.
/// </remarks>
[Trait("Speed", "slow")]
public sealed class StoryBrowserTests(BrowserFixture browser, Street street) : IClassFixture<Street>
{
    [Fact, Trait("Store", "sqlite")]
    public async Task Deployment_FromWatchlistToExport_IsDoneByItsPeople()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        Officer manager = await host.AddOfficerAsync("mona", Roles.WatchlistManager), signer = await host.AddOfficerAsync("sam", Roles.AuthorisingOfficer),
            @operator = await host.AddOfficerAsync("olga", Roles.Operator), engagement = await host.AddOfficerAsync("emil", Roles.EngagementOfficer),
            auditor = await host.AddOfficerAsync("anna", Roles.Auditor);

        // Enrol.
        await browser.WithPageAsync(host, manager, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/watchlists");
            await p.GetByLabel("Name", new() { Exact = true }).FillAsync("High Street list");
            await p.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "High Street list" })).ToBeVisibleAsync();
            await p.GetByLabel("Name", new() { Exact = true }).FillAsync("Wanda Example");
            await p.GetByLabel("Category", new() { Exact = true }).SelectOptionAsync(nameof(WatchlistCategory.Wanted));
            await p.GetByLabel("Reference").FillAsync("W-1");
            await p.GetByLabel("Legal basis").FillAsync("warrant");
            await p.GetByLabel("Source of the image").FillAsync("custody");
            await p.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
            await p.GetByLabel("Taken on").FillAsync(host.Time.GetUtcNow().ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
            await p.GetByLabel("Add photos of Wanda Example").SetInputFilesAsync(street.Photo);
            await Expect(p.GetByAltText("Photo of Wanda Example", new() { Exact = false })).ToBeVisibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Build the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist is built and can no longer be changed.")).ToBeVisibleAsync();
            await page.ShootAsync("watchlist");
        });
        await AssertSurvivesAsync(host, "watchlist.built", null);
        Guid watchlist = await host.ReadAsync(s => s.Watchlists.Select(w => w.Id).SingleAsync());
        LfrEngine.Cli.Serving.SampleDeployment.ShelveEvidence(host.Services, "laboratory.json");

        // Draft, by one person.
        Guid deployment = Guid.Empty;
        await browser.WithPageAsync(host, @operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/deployments");
            await p.GetByRole(AriaRole.Link, new() { Name = "Draft an authority" }).ClickAsync();
            await p.GetByLabel("Name").FillAsync("High Street");
            await p.GetByLabel("Purpose").FillAsync("Find people wanted for robbery.");
            await p.GetByLabel("Type of deployment").FillAsync("intelligence-led");
            await p.GetByLabel("Place").FillAsync("High Street");
            await p.GetByLabel("gate").CheckAsync();
            await p.GetByLabel("Watchlist", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Value = watchlist.ToString() });
            await p.GetByLabel("Data protection impact assessment").FillAsync("DPIA 1");
            await p.GetByLabel("Equality impact assessment").FillAsync("EIA 1");
            await p.GetByLabel("Community impact assessment").FillAsync("CIA 1");
            await p.GetByLabel("Authorising officer", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "sam" });
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            await Expect(p.GetByText("The authority is a draft: sam has not signed it.")).ToBeVisibleAsync();
            deployment = Guid.Parse(p.Url.Split('/')[^1]);
        });
        await AssertSurvivesAsync(host, "deployment.drafted", DeploymentState.Draft);

        // Signed by another; armed and watched by the operator; judged; engaged; ended.
        await browser.WithPageAsync(host, signer, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync($"/deployments/{deployment}");
            await p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            ILocator dialog = p.GetByRole(AriaRole.Dialog);
            await dialog.GetByLabel("Password").FillAsync(RunningHost.Password);
            await dialog.GetByLabel("Code").FillAsync(await host.CodeAsync(signer));
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Ready to start.")).ToBeVisibleAsync();
            await page.ShootAsync("deployment");
        });
        await AssertSurvivesAsync(host, "deployment.signed", DeploymentState.Signed);

        Guid alert = Guid.Empty;
        await browser.WithPageAsync(host, @operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await p.GetByRole(AriaRole.Button, new() { Name = "Start", Exact = true }).ClickAsync();
            await Expect(p.Locator(".health:not([data-condition=Lost])")).ToBeVisibleAsync();
            await AssertSurvivesAsync(host, "deployment.started", DeploymentState.Paused);
            await page.GoAsync("/duty");
            ILocator row = p.Locator(".alert-row").First;
            await row.ClickAsync();
            alert = Guid.Parse((await row.GetAttributeAsync("data-alert"))!);
            await Expect(p.GetByText("Wanda Example").First).ToBeVisibleAsync();
            // Both pictures of the pair are there.
            await p.WaitForFunctionAsync("() => [...document.querySelectorAll('.alert-pair img')].filter(i => i.complete && i.naturalWidth > 0).length === 2");
            await page.ShootAsync("alert");
            await AssertSurvivesAsync(host, "alert.raised", DeploymentState.Paused);
            await p.Keyboard.PressAsync("v");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: viable");
        });
        await browser.WithPageAsync(host, engagement, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/alerts/street");
            await p.Locator($"[data-alert='{alert}']").TapAsync();
            foreach (AlertState to in (AlertState[])[AlertState.Engaged, AlertState.Confirmed, AlertState.Arrest])
            {
                await p.Locator($"[data-to={to}]").TapAsync();
                await Expect(p.Locator($"[data-to={to}]")).ToHaveCountAsync(0);
                await AssertSurvivesAsync(host, "alert.decided", DeploymentState.Paused);
            }
        }, BrowserFixture.Phone);
        await browser.WithPageAsync(host, @operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await p.GetByRole(AriaRole.Button, new() { Name = "End", Exact = true }).ClickAsync();
            await p.GetByLabel("Reason for the end (recorded in the audit trail)").FillAsync("The shift is over.");
            await p.GetByRole(AriaRole.Button, new() { Name = "Yes, end it" }).ClickAsync();
            await Expect(p.GetByText("No deployment is signed or paused.")).ToBeVisibleAsync();
        });
        await AssertSurvivesAsync(host, "deployment.ended", DeploymentState.Ended);
        string receipt = Assert.Single(Directory.GetFiles(host.Installation.DataPath("receipts", "x")[..^1], "*.json"));
        using (InstallationKey own = InstallationKey.Open())
            Assert.Equal(0, ErasureReceipt.Verify(receipt, own.PublicPem).Erased.FrameBuffersHeld);

        // The watchlist is destroyed, and the figures are published.
        await browser.WithPageAsync(host, manager, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync($"/watchlists/{watchlist}");
            await p.GetByLabel("Reason").FillAsync("the operation is over");
            await p.GetByLabel("Yes, permanently destroy High Street list").CheckAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Destroy the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist has been destroyed. Nothing in it can be read.")).ToBeVisibleAsync();
        });
        await AssertSurvivesAsync(host, "watchlist.destroyed", DeploymentState.Ended);
        await browser.WithPageAsync(host, auditor, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/transparency");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "CSV" }).ClickAsync());
            string[] lines = await File.ReadAllLinesAsync(await download.PathAsync(), TestContext.Current.CancellationToken);
            string[] columns = lines[0].TrimStart('\uFEFF').Split(','), values = lines.Single(l => l.StartsWith("High Street,", StringComparison.Ordinal)).Split(',');
            string Of(string column) => values[Array.IndexOf(columns, column)];
            Assert.Equal(("1", "1", "0", "1"), (Of("Total alerts"), Of("Positive alerts"), Of("Incorrect alerts"), Of("Arrests or disposals")));
            Assert.Equal(await host.ReadAsync(s => s.Deployments.Select(d => d.FacesSeen).SingleAsync()), long.Parse(Of("Faces seen"), System.Globalization.CultureInfo.InvariantCulture));
        });
    }

    /// <summary>Starts another server on what a power cut would leave now.</summary>
    /// <param name="host">The running one.</param>
    /// <param name="action">What the trail must hold.</param>
    /// <param name="state">Of the deployment once it has started again; null while there is none.</param>
    private static async Task AssertSurvivesAsync(RunningHost host, string action, DeploymentState? state)
    {
        long written = await host.ReadAsync(s => s.Audit.MaxAsync(e => e.Sequence));
        await using RunningHost again = await host.AfterPowerCutAsync();
        AuditEntry[] trail = await again.ReadAsync(s => s.Audit.OrderBy(e => e.Sequence).ToArrayAsync());
        AuditEntry? last = null;
        Assert.Null(AuditChain.FirstFault(trail, ref last));
        Assert.True(trail.Length >= written, $"{written - trail.Length} entries were lost.");
        Assert.Contains(trail, e => e.Action == action);
        if (state is not null)
            Assert.Equal(state, await again.ReadAsync(s => s.Deployments.Select(d => d.State).SingleAsync()));
        // Every alert's pictures can be read until they are erased.
        KeyVault vault = (KeyVault)again.Services.GetService(typeof(KeyVault))!;
        foreach (AlertRecord alert in await again.ReadAsync(s => s.Alerts.ToArrayAsync()))
            Assert.Equal(alert.ErasedAt is null, vault.Has(alert.Id));
    }
}
