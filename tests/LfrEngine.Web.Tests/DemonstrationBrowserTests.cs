using System.Text.RegularExpressions;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Web.Tests.Browser;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests;

/// <summary><c>lfr serve --demo</c>, as a stranger sees it: the real program, a browser, one click.</summary>
[Trait("Speed", "slow")]
public sealed class DemonstrationBrowserTests(BrowserFixture browser)
{
    [Fact, Trait("Store", "sqlite")]
    public async Task ServeDemo_SignInByOneClick_ShowsTheAlertAndLeavesNothing()
    {
        DirectoryInfo temporary = Directory.CreateTempSubdirectory("lfr-demo-test-");
        using (Lfr lfr = Lfr.Start(null, [("TMPDIR", temporary.FullName)], "serve", "--demo", "https://localhost:0"))
        {
            string origin = $"https://localhost:{new Uri(Regex.Match(await lfr.SeesAsync("choose an officer"), @"https://[^/\s]+").Value).Port}";
            await lfr.SeesAsync("An alert is waiting");
            await browser.WithPageAsync(origin, null, async page =>
            {
                IPage p = page.Page;
                await page.GoAsync("/duty");
                await Expect(p.GetByText("Demonstration: sample people")).ToBeVisibleAsync();
                await page.AssertAccessibleAsync();
                await p.GetByRole(AriaRole.Button, new() { Name = "Olga Sample" }).ClickAsync();

                await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Duty" })).ToBeVisibleAsync();
                await Expect(p.GetByText("Demonstration: sample people")).ToBeVisibleAsync();
                await p.WaitForFunctionAsync("() => [...document.querySelectorAll('.alert-pair img')].filter(i => i.complete && i.naturalWidth > 0).length === 2");
                // The band takes its room from the page: the buttons stay in sight.
                await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Reject" })).ToBeInViewportAsync(new() { Ratio = 1 });
                await page.AssertAccessibleAsync();
                await page.ShootAsync("demonstration");
            }, new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1366, Height = 768 } });

            lfr.Interrupt();

            (await lfr.EndAsync()).Exits(LfrEngine.Programs.ExitCode.Success).Says("has been deleted").IsCivil();
        }
        Assert.Empty(temporary.EnumerateFileSystemInfos());
        temporary.Delete();
    }
}
