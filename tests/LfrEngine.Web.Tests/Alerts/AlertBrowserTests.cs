using System.Globalization;
using System.Security.Claims;
using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>The pages of alerts in a real browser.</summary>
[Trait("Speed", "slow")]
public sealed class AlertBrowserTests(BrowserFixture browser)
{
    /// <summary>Two hundred alerts while the page is open: all arrive, the open pair stays open, and keys alone judge.</summary>
    [Fact]
    public async Task Desk_TwoHundredAlerts_StaysUsableByKeys()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        Guid[] people = await material.AddPeopleAsync(Enumerable.Range(0, 200).Select(CategoryOf));
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/alerts");
            await Expect(p.Locator("#shortcuts")).ToHaveAttributeAsync("aria-pressed", "true");
            Guid first = await material.RaiseAsync(people[0], CategoryOf(0));
            await Expect(p.Locator($"[data-open='{first}']")).ToBeVisibleAsync();
            for (int i = 1; i < people.Length; i++)
                await material.RaiseAsync(people[i], CategoryOf(i));

            await Expect(p.Locator("#waiting")).ToContainTextAsync("200");
            await Expect(p.Locator("#announcement")).ToContainTextAsync("200");
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(25);
            // Nothing was pushed away under the operator's fingers.
            await Expect(p.Locator($"[data-open='{first}']")).ToBeVisibleAsync();
            IReadOnlyList<AlertSummary> newest = await material.Alerts.ListAsync(Actor.Engine, new AlertFilter(), TestContext.Current.CancellationToken);
            Assert.Equal(newest.Select(a => a.Id.ToString()), await p.Locator(".alert-row").EvaluateAllAsync<string[]>("rows => rows.map(r => r.dataset.alert)"));

            // Not on this page of the list: J begins at its top.
            await p.Keyboard.PressAsync("j");
            await Expect(p.Locator($"[data-open='{newest[0].Id}']")).ToBeVisibleAsync();
            await Expect(p.Locator(".alert-pair img").First).ToHaveJSPropertyAsync("naturalWidth", AlertMaterial.Side);
            await p.Keyboard.PressAsync("v");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: viable");
            await p.Keyboard.PressAsync("j");
            await Expect(p.Locator($"[data-open='{newest[1].Id}']")).ToBeVisibleAsync();
            await p.Keyboard.PressAsync("r");
            await Expect(p.Locator("#reject-confirm")).ToBeFocusedAsync();
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: rejected");
            await Expect(p.Locator(".alert-pair")).ToHaveCountAsync(0);
            await p.Keyboard.PressAsync("k");
            await Expect(p.Locator($"[data-open='{newest[0].Id}']")).ToBeVisibleAsync();
            await p.Keyboard.PressAsync("u");
            await Expect(p.Locator(".decision")).ToContainTextAsync("Undone. The alert is raised again.");
            await Expect(p.Locator("#waiting")).ToContainTextAsync("199");

            await p.Locator("#show").SelectOptionAsync(nameof(AlertState.Rejected));
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(1);
            await p.Locator("#show").SelectOptionAsync("");
            await p.Locator("#show-category").SelectOptionAsync(nameof(WatchlistCategory.MissingOrVulnerable));
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(8);
            await p.Locator("#show-camera").SelectOptionAsync("gate");
            await p.Locator("#show-deployment").SelectOptionAsync(new SelectOptionValue { Label = "High Street" });
            await p.Locator("#show-from").FillAsync("2020-01-01T00:00");
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(8);
            await p.Locator("#show-to").FillAsync("2020-01-02T00:00");
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(0);
            await p.Locator("#show-to").FillAsync("2019-01-01T00:00");
            await Expect(p.GetByText("The start must be before the end.")).ToBeVisibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Clear filters" }).ClickAsync();
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(25);
            await p.Locator("#show-reference").FillAsync("w-99");
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(0);
            await p.Locator("#show-reference").FillAsync("w-17");
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator(".alert-row")).ToHaveCountAsync(25);
            await p.GetByRole(AriaRole.Button, new() { Name = "Clear filters" }).ClickAsync();
            await Expect(p.Locator("#show-reference")).ToHaveValueAsync("");
            await p.Locator("#older").ClickAsync();
            await Expect(p.Locator(".alert-row").First).ToHaveAttributeAsync("data-alert", (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter { Skip = 25 }, TestContext.Current.CancellationToken))[0].Id.ToString());
            await page.AssertAccessibleAsync();
            await p.EvaluateAsync("scrollTo(0, 0)");
            await page.ShootAsync("alerts");
        });
        Assert.Equal(AlertState.Rejected, (await material.Alerts.ListAsync(Actor.Engine, new AlertFilter { States = [AlertState.Rejected] }, TestContext.Current.CancellationToken)).Single().State);
        Assert.Equal([("olga", "{}"), ("olga", "{}")], (await material.EntriesAsync("alert.searched")).Select(e => (e.ActorName, e.Details)));
    }

    /// <summary>Vulnerable people first, then the oldest; the buttons stay in sight under fifty sightings; each decision opens the next alert, and can be undone.</summary>
    [Fact]
    public async Task Duty_FiftySightings_IsJudgedByKeysWithButtonsInSight()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host, AlertMaterial.AuthorityText(WatchlistCategory.Wanted, string.Join('\n', Enumerable.Repeat("Approach, say who you are, and ask for a name.", 12))));
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        Guid often = await material.AddPersonAsync(lookalike: "His twin brother");
        Guid oldest = await material.RaiseAsync(often), newer = await material.RaiseAsync(await material.AddPersonAsync(rolePlayer: true)),
            vulnerable = await material.RaiseAsync(await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable), WatchlistCategory.MissingOrVulnerable);
        for (int i = 0; i < 50; i++)
            await material.RaiseAsync(often);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            ILocator decide = p.Locator(".decision-bar [data-to]");
            await page.GoAsync("/");
            await Expect(p.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link).First).ToHaveTextAsync("Duty 3");
            await p.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link).First.ClickAsync();
            await Expect(p.Locator($"[data-open='{vulnerable}']")).ToBeVisibleAsync();
            Assert.Equal([vulnerable.ToString(), oldest.ToString(), newer.ToString()], await p.Locator(".duty-queue .alert-row").EvaluateAllAsync<string[]>("rows => rows.map(r => r.dataset.alert)"));
            await Expect(p.Locator(".alert-row .badge").First).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^\d+ (s|min)$"));
            await Expect(p.Locator(".alert-row").Last).ToContainTextAsync("Role-player");
            await p.WaitForFunctionAsync("() => [...document.querySelectorAll('.alert-thumbnail')].filter(i => i.naturalWidth > 0).length === 3");

            await p.Keyboard.PressAsync("j");
            await Expect(p.Locator($"[data-open='{oldest}'] ul li")).ToHaveCountAsync(50);
            await Expect(p.Locator(".alert-lookalike")).ToHaveTextAsync("Known lookalike: His twin brother. Make sure that it is not them.");
            await AssertInSightAsync(p, decide, 2);
            await AssertInSightAsync(p, p.Locator(".alert-pair img"), 2);
            Assert.True((await p.Locator(".alert-pair img").First.BoundingBoxAsync())!.Width >= 256);
            await page.AssertAccessibleAsync();
            await page.ShootAsync("duty");
            await p.Locator("[data-fullscreen]").ClickAsync();
            await p.WaitForFunctionAsync("() => document.fullscreenElement !== null && getComputedStyle(document.querySelector('.mud-appbar')).display === 'none'");
            await AssertInSightAsync(p, decide, 2);
            await p.Locator("[data-fullscreen]").ClickAsync();
            await p.WaitForFunctionAsync("() => document.fullscreenElement === null");

            // Undone from the next alert, as nobody can go back to one that no longer waits.
            await p.Keyboard.PressAsync("v");
            await Expect(p.Locator($"[data-open='{vulnerable}'] .decision")).ToContainTextAsync("Recorded: viable");
            await Expect(p.Locator("#waiting")).ToContainTextAsync("2");
            await p.Keyboard.PressAsync("u");
            await Expect(p.Locator($"[data-open='{oldest}'] .decision")).ToContainTextAsync("Undone. The alert is raised again.");
            await p.Keyboard.PressAsync("r");
            await Expect(p.Locator("#reject-confirm")).ToBeFocusedAsync();
            await AssertInSightAsync(p, p.Locator("#reject-confirm, #reject-cancel"), 2);
            await p.Keyboard.PressAsync("Enter");
            await Expect(p.Locator($"[data-open='{vulnerable}'] .decision")).ToContainTextAsync("Recorded: rejected");
            // The second half of a double click on the last button judges nothing.
            await Expect(p.Locator("[data-to=Viable]")).ToHaveAttributeAsync("aria-disabled", "false");
            await p.Locator("[data-to=Viable]").DblClickAsync();
            await Expect(p.Locator($"[data-open='{newer}'] .decision")).ToContainTextAsync("Recorded: viable");
            await Expect(p.Locator("[data-to=Viable]")).ToHaveAttributeAsync("aria-disabled", "false");
            Assert.Equal(AlertState.Raised, (await material.RecordAsync(newer)).State);
            await p.Keyboard.PressAsync("v");
            await Expect(p.GetByText("No alerts to judge.")).ToBeVisibleAsync();
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: viable");
            await page.AssertAccessibleAsync();
            Guid next = await material.RaiseAsync(await material.AddPersonAsync());
            await Expect(p.Locator($"[data-open='{next}']")).ToBeVisibleAsync();
        }, new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 1366, Height = 768 } });
        await browser.WithPageAsync(host, olga, async page =>
        {
            await page.GoAsync("/duty");
            await Expect(page.Page.Locator("[data-to=Viable]")).ToBeVisibleAsync();
            await AssertInSightAsync(page.Page, page.Page.Locator(".decision-bar [data-to]"), 2);
            Assert.Equal(390, await page.Page.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
            await page.AssertAccessibleAsync();
            await page.ShootAsync("duty-phone");
        }, new BrowserNewContextOptions(BrowserFixture.Phone) { ColorScheme = ColorScheme.Dark });
    }

    // The boxes lie inside the window, with nothing over them.
    private static async Task AssertInSightAsync(IPage p, ILocator found, int count)
    {
        await Expect(found).ToHaveCountAsync(count);
        foreach (ILocator one in await found.AllAsync())
        {
            const string Hidden = """
                e => {
                    const b = e.getBoundingClientRect(), at = document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2);
                    if (b.width === 0 || b.x < 0 || b.y < 0 || b.right > innerWidth || b.bottom > innerHeight)
                        return `${e.outerHTML}: ${b.x}, ${b.y}, ${b.width} × ${b.height} in ${innerWidth} × ${innerHeight}`;
                    return at === e || e.contains(at) ? "" : `${at?.outerHTML} lies over ${e.outerHTML}`;
                }
                """;
            try
            {
                await p.WaitForFunctionAsync($"e => ({Hidden})(e) === ''", await one.ElementHandleAsync());
            }
            catch (TimeoutException)
            {
                // What is wrong is told below.
            }
            Assert.Equal("", await one.EvaluateAsync<string>(Hidden));
        }
    }

    [Fact]
    public async Task Desk_VulnerablePerson_HasDifferentSoundSymbolAndScript()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        Guid wanted = await material.AddPersonAsync(), vulnerable = await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable, response: "Call her sister.");
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            ILocator root = p.Locator("html");
            await page.GoAsync("/alerts");
            await Expect(p.Locator("#sounds")).ToHaveAttributeAsync("aria-pressed", "false");
            await p.Locator("#sounds").ClickAsync();
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "alert");
            await material.RaiseAsync(vulnerable, WatchlistCategory.MissingOrVulnerable);
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "vulnerable");
            await Expect(p.Locator("#announcement")).ToContainTextAsync("vulnerable person");
            await Expect(p.Locator(".alert-detail .badge.vulnerable")).ToContainTextAsync("Vulnerable person");
            await Expect(p.Locator(".alert-script")).ToContainTextAsync("safeguarding lead");
            await Expect(p.Locator(".alert-script")).ToContainTextAsync("Call her sister.");
            await Expect(p.Locator(".alert-detail")).ToContainTextAsync("too little evidence to grade");
            await Expect(p.GetByRole(AriaRole.Img, new() { Name = "Score 0.620 on a scale from 0.480, where alerts start, to 1" })).ToHaveCountAsync(2);
            string own = await BorderAsync(p);
            await page.AssertAccessibleAsync();
            await page.ShootAsync("alert-vulnerable");

            await material.RaiseAsync(wanted);
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "alert");
            await p.Keyboard.PressAsync("k");
            await Expect(p.Locator(".alert-detail .badge.vulnerable")).ToHaveCountAsync(0);
            Assert.NotEqual(own, await BorderAsync(p));
        }, new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark });

        static Task<string> BorderAsync(IPage p) => p.Locator(".alert-detail").EvaluateAsync<string>("e => getComputedStyle(e).border");
    }

    /// <summary>On any page: sound as the officer chose before, banner with a link, badge, title; gone when somebody has decided.</summary>
    [Fact]
    public async Task Bell_OnAnotherPage_TellsOfAnAlertAndLeadsToIt()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        ClaimsPrincipal judge = await material.OfficerAsync("otto", Roles.Operator);
        Guid wanted = await material.AddPersonAsync(), vulnerable = await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable);
        await browser.WithPageAsync(host, olga, async page =>
        {
            IPage p = page.Page;
            ILocator root = p.Locator("html");
            await page.GoAsync("/alerts");
            await p.Locator("#test-sounds").ClickAsync();
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "vulnerable");
            await p.Locator("#sounds").ClickAsync();
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "alert");

            // Remembered after a load, on another page.
            await page.GoAsync("/deployments");
            await Expect(p.Locator("[data-bell]")).ToHaveAttributeAsync("aria-pressed", "true");
            Guid alert = await material.RaiseAsync(vulnerable, WatchlistCategory.MissingOrVulnerable);
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "vulnerable");
            await Expect(p.Locator(".alert-banner")).ToContainTextAsync("vulnerable person: Missing or vulnerable, camera gate");
            await Expect(p.Locator("#nav-waiting")).ToHaveTextAsync("1");
            await Expect(p).ToHaveTitleAsync("(1) Deployments");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("alert-banner");
            await p.Locator(".alert-banner a").ClickAsync();
            await Expect(p.Locator($"[data-open='{alert}']")).ToBeVisibleAsync();
            await Expect(p.Locator(".alert-banner")).ToHaveCountAsync(0);

            await page.GoAsync("/deployments");
            Guid second = await material.RaiseAsync(wanted);
            await Expect(root).ToHaveAttributeAsync("data-last-sound", "alert");
            await Expect(p.Locator(".alert-banner")).ToBeVisibleAsync();
            await material.Alerts.DecideAsync(judge, second, AlertState.Viable, "");
            await Expect(p.Locator(".alert-banner")).ToHaveCountAsync(0);
            await Expect(p).ToHaveTitleAsync("(1) Deployments");
        }, BrowserFixture.Phone);
    }

    [Fact]
    public async Task Desk_AnotherOperatorDecides_IsSeenAtOnce()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator), otto = await host.AddOfficerAsync("otto", Roles.Operator);
        Guid alert = await material.RaiseAsync(await material.AddPersonAsync());
        await browser.WithPageAsync(host, olga, first => browser.WithPageAsync(host, otto, async second =>
        {
            foreach (ConsolePage page in (ConsolePage[])[first, second])
            {
                await page.GoAsync("/alerts");
                await page.Page.Locator($"[data-alert='{alert}']").ClickAsync();
                await Expect(page.Page.Locator("[data-to=Viable]")).ToBeVisibleAsync();
            }
            await first.Page.Keyboard.PressAsync("v");
            await Expect(first.Page.Locator(".decision")).ToContainTextAsync("Recorded: viable");
            await Expect(second.Page.Locator(".alert-detail .badge").Last).ToContainTextAsync("viable");
            await Expect(second.Page.Locator(".alert-history")).ToContainTextAsync("olga");
            await Expect(second.Page.Locator("[data-to=Viable]")).ToHaveCountAsync(0);
        }));
        Assert.Single((await material.RecordAsync(alert)).Events);
    }

    /// <summary>Pictures, age, camera, what to do and the buttons are in the first screen; whoever is to be protected is not met with an arrest first.</summary>
    [Fact]
    public async Task Street_Phone_OfficerEngagesToTheOutcomeInTheFirstScreen()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer emil = await host.AddOfficerAsync("emil", Roles.EngagementOfficer);
        ClaimsPrincipal judge = await material.OfficerAsync("olga", Roles.Operator);
        Guid missing = await material.RaiseAsync(await material.AddPersonAsync(WatchlistCategory.MissingOrVulnerable), WatchlistCategory.MissingOrVulnerable), actor = await material.RaiseAsync(await material.AddPersonAsync(rolePlayer: true));
        await browser.WithPageAsync(host, emil, async page =>
        {
            IPage p = page.Page;
            ILocator root = p.Locator("html");
            // Nothing shakes here: what the page asks of the phone is written down.
            await p.AddInitScriptAsync("Navigator.prototype.vibrate = pattern => { document.documentElement.dataset.vibrated = pattern; return true; }");
            await page.GoAsync("/alerts/street");
            await Expect(p.GetByRole(AriaRole.Status)).ToContainTextAsync("0");
            await p.Locator("#sounds").TapAsync();
            await Expect(root).ToHaveAttributeAsync("data-vibrated", "250,150,250");
            await material.Alerts.DecideAsync(judge, missing, AlertState.Viable, "");
            await Expect(root).ToHaveAttributeAsync("data-vibrated", "900");
            await Expect(p.Locator($"[data-open='{missing}']")).ToBeVisibleAsync();
            await Expect(p.Locator(".alert-when")).ToContainTextAsync(new System.Text.RegularExpressions.Regex(@"^gate, \d+ (s|min) ago$"));
            await AssertFirstScreenAsync(p, AlertState.Engaged);
            LocatorBoundingBoxResult picture = (await p.Locator(".alert-pair img").First.BoundingBoxAsync())!;
            Assert.Equal(picture.Width, picture.Height, 1.0);
            foreach (AlertState to in (AlertState[])[AlertState.Engaged, AlertState.Confirmed])
            {
                await p.Locator($"[data-to={to}]").TapAsync();
                await Expect(p.Locator($"[data-to={to}]")).ToHaveCountAsync(0);
            }
            await AssertFirstScreenAsync(p, AlertState.Safeguarded, AlertState.OtherDisposal, AlertState.NoAction, AlertState.Arrest);
            Assert.True((await p.Locator("[data-to=Safeguarded]").BoundingBoxAsync())!.Height >= 48);
            await page.AssertAccessibleAsync();
            await page.ShootAsync("street-phone");
            await p.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await page.AssertAccessibleAsync();
            await p.Locator("[data-to=Safeguarded]").TapAsync();
            await Expect(p.Locator(".decision")).ToContainTextAsync("Recorded: safeguarded");
            await Expect(p.Locator(".alert-history li")).ToHaveCountAsync(5);

            // What is done with makes room for what is new.
            await material.Alerts.DecideAsync(judge, actor, AlertState.Viable, "");
            await Expect(p.Locator($"[data-open='{actor}']")).ToBeVisibleAsync();
            await Expect(p.Locator(".alert-row")).ToContainTextAsync("Role-player");
            await Expect(root).ToHaveAttributeAsync("data-vibrated", "250,150,250");
            await p.SetViewportSizeAsync(320, 640);
            Assert.Equal(320, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
        }, BrowserFixture.Phone);
        Assert.Equal(AlertState.Safeguarded, (await material.RecordAsync(missing)).State);

        async Task AssertFirstScreenAsync(IPage p, params AlertState[] steps)
        {
            await Expect(p.Locator($"[data-to={steps[0]}]")).ToBeVisibleAsync();
            Assert.Equal(steps.Select(s => s.ToString()), await p.Locator("[data-to]").EvaluateAllAsync<string[]>("buttons => buttons.map(b => b.dataset.to)"));
            await p.EvaluateAsync("scrollTo(0, 0)");
            await AssertInSightAsync(p, p.Locator("[data-to]"), steps.Length);
            await AssertInSightAsync(p, p.Locator(".alert-pair img"), 2);
            await AssertInSightAsync(p, p.Locator(".alert-when"), 1);
            await AssertInSightAsync(p, p.Locator(".alert-script"), 1);
        }
    }

    [Fact]
    public async Task FieldCheckAndRetention_Officer_RecordsAWalkAndReadsThePolicy()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Officer emil = await host.AddOfficerAsync("emil", Roles.EngagementOfficer);
        Guid actor = await material.AddPersonAsync(rolePlayer: true);
        await browser.WithPageAsync(host, emil, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/field-check");
            await p.Locator($"[data-start='{actor}']").ClickAsync();
            await p.Locator($"[data-end='{actor}']").WaitForAsync();
            await material.RaiseAsync(actor);
            await p.Locator($"[data-end='{actor}']").ClickAsync();
            await Expect(p.Locator(".field-rate")).ToContainTextAsync(string.Create(CultureInfo.InvariantCulture, $"1 of 1 walk found, 100 % (95 % interval {2.5} to 100 %)"));
            await page.AssertAccessibleAsync();
            await page.ShootAsync("field-check");
            await page.GoAsync("/retention");
            await Expect(p.Locator("table")).ToContainTextAsync("erased 24 hours after the alert");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("retention");
        });
    }

    private static WatchlistCategory CategoryOf(int i) => i % 25 == 7 ? WatchlistCategory.MissingOrVulnerable : WatchlistCategory.Wanted;
}
