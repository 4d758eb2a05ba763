using LfrEngine.Records.Security;
using LfrEngine.Web.Tests.Alerts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Browser;

/// <summary>The console's frame and the page about officers, in a real browser.</summary>
[Trait("Speed", "slow")]
public sealed class ShellBrowserTests(BrowserFixture browser)
{
    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task OverviewAndOfficers_BothThemes_AreAccessible(ColorScheme scheme)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer admin = await host.AddOfficerAsync("ada", Roles.Administrator, Roles.Operator);
        await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, admin, async page =>
        {
            await page.GoAsync("/");
            await page.AssertAccessibleAsync();
            await page.ShootAsync(scheme == ColorScheme.Dark ? "first-steps-dark" : "first-steps");
            await page.GoAsync("/officers");
            await page.Page.GetByLabel("Auditor").CheckAsync();
            await page.Page.GetByRole(AriaRole.Button, new() { Name = "Create link" }).ClickAsync();
            await page.Page.Locator("#invitation-link").WaitForAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync(scheme == ColorScheme.Dark ? "officers-dark" : "officers");
        }, new BrowserNewContextOptions { ColorScheme = scheme });
    }

    [Fact]
    public async Task Help_OnAPage_IsThePartOfTheGuideAboutIt()
    {
        await AsAsync(Roles.Operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/operations");
            await p.GetByLabel("Help for this page").ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Operations", Level = 1 })).ToBeVisibleAsync();
            await Expect(p.Locator(".guide")).ToContainTextAsync("While paused, no face is looked at.");
            await page.AssertAccessibleAsync();
            Assert.Equal(390, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));

            await p.GetByRole(AriaRole.Link, new() { Name = "Read all of: Guide for an operator" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Duty" })).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("help-phone");
            await p.GetByRole(AriaRole.Link, new() { Name = "Guide for an engagement officer" }).Last.ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Guide for an engagement officer", Level = 1 })).ToBeVisibleAsync();
        }, new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
    }

    [Fact]
    public async Task Keyboard_Alone_ReachesEverything()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer admin = await host.AddOfficerAsync("ada", Roles.Administrator);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, admin, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await p.Locator("body").FocusAsync();
            await TabToAsync(p, "Skip to content");
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator("#content")).ToBeFocusedAsync();

            await page.GoAsync("/");
            await TabToAsync(p, "Officers");
            Assert.NotEqual("none", await p.EvaluateAsync<string>("getComputedStyle(document.activeElement).outlineStyle"));
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Officers", Exact = true })).ToBeVisibleAsync();

            await TabToAsync(p, "Disable olga");
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Enable olga" })).ToBeVisibleAsync();
            await TabToAsync(p, "Sign out");
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        });
        await using LfrEngine.Records.Store.LfrStore store = host.Store();
        Assert.True((await store.Users.FindAsync([olga.Id], TestContext.Current.CancellationToken))!.Disabled);
    }

    [Fact]
    public async Task Phone_Upright_NothingOverflows()
    {
        await AsAsync(Roles.Administrator, async page =>
        {
            IPage p = page.Page;
            foreach (string path in new[] { "/", "/officers", "/account" })
            {
                await page.GoAsync(path);
                Assert.Equal((path, 390), (path, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth")));
                await page.AssertAccessibleAsync();
                // The narrowest that WCAG asks for (1.4.10).
                await p.SetViewportSizeAsync(320, 640);
                Assert.Equal((path, 320), (path, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth")));
                await p.SetViewportSizeAsync(390, 844);
            }
            await page.GoAsync("/");
            await Expect(p.GetByRole(AriaRole.Link, new() { Name = "Officers", Exact = true })).Not.ToBeInViewportAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Menu" }).TapAsync();
            await Expect(p.GetByRole(AriaRole.Link, new() { Name = "Officers", Exact = true })).ToBeInViewportAsync();
            await page.ShootAsync("menu-phone");
            await p.GetByRole(AriaRole.Link, new() { Name = "Officers", Exact = true }).TapAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Officers", Exact = true })).ToBeVisibleAsync();
        }, BrowserFixture.Phone);
    }

    [Fact]
    public async Task Welsh_ChosenOnAPhone_IsKeptAndNothingOverflows()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator, Roles.WatchlistManager, Roles.Administrator);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await p.GetByRole(AriaRole.Button, new() { Name = "Cymraeg" }).TapAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Trosolwg", Exact = true })).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Note).Filter(new() { HasText = "Draft translation for review." })).ToBeVisibleAsync();
            // News that another thread brings are in the language of the page, too.
            await material.RaiseAsync(await material.AddPersonAsync());
            await Expect(p.GetByRole(AriaRole.Link, new() { Name = "Rhybuddion i'w barnu: 1" })).ToBeVisibleAsync();

            foreach (string path in new[] { "/", "/duty", "/alerts", "/alerts/street", "/operations", "/deployments", "/deployments/new", "/watchlists", "/zones", "/officers", "/account" })
            {
                await page.GoAsync(path);
                await Expect(p.Locator("html")).ToHaveAttributeAsync("lang", "cy");
                Assert.Equal((path, 390), (path, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth")));
                await page.AssertAccessibleAsync();
            }
            await page.GoAsync("/deployments/new");
            await p.GetByLabel("Chwilio am: yn eisiau").CheckAsync();
            // It will be signed.
            await Expect(p.GetByLabel("Ymateb: yr hyn")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("^Operator and engagement officer compare both pictures"));

            await page.GoAsync("/account");
            await p.GetByRole(AriaRole.Button, new() { Name = "English" }).TapAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Your account" })).ToBeVisibleAsync();
            await page.GoAsync("/");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview", Exact = true })).ToBeVisibleAsync();
        }, BrowserFixture.Phone);
    }

    [Fact]
    public async Task Theme_ChosenOnce_IsKeptAndOverridesTheSystem()
    {
        await AsAsync(Roles.Operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            string dark = await BackgroundAsync(p);
            await p.GetByRole(AriaRole.Button, new() { Name = "Light or dark" }).ClickAsync();
            string light = await BackgroundAsync(p);
            Assert.NotEqual(dark, light);
            await page.GoAsync("/account");
            Assert.Equal(light, await BackgroundAsync(p));
            await p.GetByRole(AriaRole.Button, new() { Name = "Light or dark" }).ClickAsync();
            await page.GoAsync("/");
            Assert.Equal(dark, await BackgroundAsync(p));
        }, new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark });
    }

    [Fact]
    public async Task Connection_Lost_IsSaidAndThePageComesBackWithIt()
    {
        await AsAsync(Roles.Operator, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/");
            await p.EvaluateAsync("() => navigator.serviceWorker.ready.then(() => true)");
            string manifest = await p.Locator("link[rel=manifest]").EvaluateAsync<string>("l => l.href");
            Assert.Equal("standalone", await p.EvaluateAsync<string>("a => fetch(a).then(r => r.json()).then(m => m.display)", manifest));
            await page.GoAsync("/");

            await page.Context.SetOfflineAsync(true);
            await page.GoAsync("/deployments");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "No connection to the console" })).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            // Nothing of the console is kept on the device.
            string[] kept = await p.EvaluateAsync<string[]>("async () => (await Promise.all((await caches.keys()).map(async k => (await (await caches.open(k)).keys()).map(r => new URL(r.url).pathname)))).flat()");
            Assert.Equal(["/icon.svg", "/offline.css", "/offline.html", "/offline.js"], kept.Order(StringComparer.Ordinal));

            await page.Context.SetOfflineAsync(false);
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Deployments" })).ToBeVisibleAsync();
        });
    }

    [Fact]
    public async Task Address_Unknown_ShowsNotFoundToOfficersAndSignInToOthers()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IResponse answer = (await page.Page.GotoAsync(ConsolePage.OriginOf(host) + "/no/such/page"))!;
            Assert.Equal(404, answer.Status);
            await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Page not found");
            await page.AssertAccessibleAsync();
            await page.Page.GetByRole(AriaRole.Link, new() { Name = "overview" }).ClickAsync();
            await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();
        });
        await browser.WithPageAsync(host, null, async page =>
        {
            await page.GoAsync("/no/such/page");
            await Expect(page.Page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        });
    }

    [Fact]
    public async Task Policy_InlineStyleAndScript_AreRefusedByTheBrowser()
    {
        // The watch itself is tested: what the browser refuses must be seen.
        Exception seen = await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => AsAsync(Roles.Operator, async page =>
        {
            await page.GoAsync("/");
            string[] refused = await page.Page.EvaluateAsync<string[]>("""
                () => new Promise(resolve => {
                    const refused = [];
                    document.addEventListener("securitypolicyviolation", event => {
                        refused.push(event.effectiveDirective);
                        if (refused.length === 2)
                            resolve(refused.sort());
                    });
                    const div = document.createElement("div");
                    div.innerHTML = "<p style='color: red'>x</p>";
                    document.body.append(div);
                    const script = document.createElement("script");
                    script.textContent = "document.title = 'ran'";
                    document.body.append(script);
                })
                """);
            Assert.Equal(["script-src-elem", "style-src-attr"], refused);
            Assert.Equal("Overview", await page.Page.TitleAsync());
        }));
        Assert.Contains("Content Security Policy", seen.Message, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A console with one officer, and a page of theirs.</summary>
    private async Task AsAsync(string role, Func<ConsolePage, Task> test, BrowserNewContextOptions? options = null)
    {
        await using RunningHost host = await RunningHost.StartAsync();
        await browser.WithPageAsync(host, await host.AddOfficerAsync("olga", role), test, options);
    }

    private static Task<string> BackgroundAsync(IPage page) => page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");

    /// <summary>Presses Tab until what bears the name has the focus.</summary>
    private static async Task TabToAsync(IPage page, string name)
    {
        for (int i = 0; i < 40; i++)
        {
            await page.Keyboard.PressAsync("Tab");
            string at = await page.EvaluateAsync<string>("(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()");
            if (at == name)
                return;
        }
        Assert.Fail($"\"{name}\" is not reached with the Tab key.");
    }
}
