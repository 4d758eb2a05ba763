using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The operations page in a real browser, by keyboard, while the engine runs.</summary>
[Trait("Speed", "slow")]
public sealed class OperationsBrowserTests(BrowserFixture browser, Street street) : IClassFixture<Street>
{
    [Fact]
    public async Task Operations_StartedByKeyboard_ShowsLivePicturesAndPausesWithAReason()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        await street.PrepareAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await Expect(p.GetByText("No deployment is running.")).ToBeVisibleAsync();
            await Expect(p.GetByText("The authority ends in")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await PressAsync(p, "Start");

            ILocator picture = p.GetByAltText("Live picture of camera gate. Everybody is pixelated unless they raised an alert.");
            await Expect(picture).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^blob:"), new() { Timeout = 30_000 });
            await p.WaitForFunctionAsync("() => { const i = document.querySelector('img.live'); return i.complete && i.naturalWidth === 640 && i.naturalHeight === 360; }");
            await Expect(p.GetByText("Working")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations");

            await page.GoAsync("/duty");
            await Expect(p.Locator(".duty-wall img.live")).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^blob:"));
            await Expect(p.Locator(".duty-wall")).ToContainTextAsync("Working");
            await page.GoAsync("/operations");

            Assert.True(await p.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true }).IsDisabledAsync());
            await p.GetByLabel("Reason (recorded in the audit trail)").FocusAsync();
            await p.Keyboard.TypeAsync("A break.");
            await PressAsync(p, "Pause");
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(p.GetByText("A break.")).ToBeVisibleAsync();
            await Expect(picture).ToHaveCountAsync(0);
        });
    }

    [Fact]
    public async Task Operations_AuditorOnAPhone_SeesHealthAndNoPictures()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
        Officer arno = await host.AddOfficerAsync("arno", Roles.Auditor);
        await DeploymentRunnerTests.Runner(host).StartAsync(new Actor(arno.Id.ToString(), "arno"), deployment, TestContext.Current.CancellationToken);
        await browser.WithPageAsync(host, arno, async page =>
        {
            await page.GoAsync("/operations");
            await Expect(page.Page.GetByText("Working")).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(page.Page.GetByText("Your roles do not include live pictures.")).ToBeVisibleAsync();
            await Expect(page.Page.Locator("img.live")).ToHaveCountAsync(0);
            await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true })).ToHaveCountAsync(0);
            Assert.True(await page.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than the phone.");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations-phone");
        }, BrowserFixture.Phone);
    }

    // As who has no mouse does it.
    private static async Task PressAsync(IPage page, string button)
    {
        ILocator found = page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true });
        await Expect(found).ToBeEnabledAsync();
        await found.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
