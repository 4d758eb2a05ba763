using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Policies;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Tests.Policies;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Authorities;

/// <summary>Drafting, signing and withdrawing in a real browser, and the zone planner.</summary>
[Trait("Speed", "slow")]
public sealed class AuthorityBrowserTests(BrowserFixture browser)
{
    /// <summary>Rules of a policy, a second signature for a lower threshold, ranks and trainings, and officers on the spot.</summary>
    [Fact]
    public async Task Authority_UnderPolicy_IsDraftedSignedTwiceAndWatchedByOfficersOnTheSpot()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync(Packs.Sign(Packs.Whole with { Signing = Packs.Whole.Signing! with { SecondRanks = ["superintendent"] } }));
        Officer admin = await stage.Host.AddOfficerAsync("ada", Roles.Administrator), second = await stage.Host.AddOfficerAsync("olga", Roles.AuthorisingOfficer);
        await browser.WithPageAsync(stage.Host, admin, async page =>
        {
            IPage p = page.Page;
            foreach (string name in new[] { "sam", "olga" })
            {
                await page.GoAsync("/officers");
                await p.GetByRole(AriaRole.Button, new() { Name = $"Change the roles of {name}" }).ClickAsync();
                await p.GetByLabel($"Rank of {name}").FillAsync("superintendent");
                await page.AssertAccessibleAsync();
                await p.GetByRole(AriaRole.Button, new() { Name = "Save rank" }).ClickAsync();
                await Expect(p.GetByRole(AriaRole.Row, new() { Name = name }).GetByText("Rank: superintendent")).ToBeVisibleAsync();
                await p.GetByRole(AriaRole.Button, new() { Name = $"Change the roles of {name}" }).ClickAsync();
                await p.Locator("#trained-on").FillAsync("2025-06-01");
                await p.GetByRole(AriaRole.Button, new() { Name = "Record training" }).ClickAsync();
                await Expect(p.GetByRole(AriaRole.Row, new() { Name = name }).GetByText("Trained as Authorising officer on 1 June 2025")).ToBeVisibleAsync();
            }
        });
        AuthorityDraft first = stage.Draft() with { Ground = "hotspot", Area = Packs.Square, AccountablePerson = "Commander B. Example", Categories = [stage.Draft().Categories[0] with { Threshold = 0.52 }] };
        await stage.SignAsync(await stage.DraftAsync(first));
        stage.Time.Now += TimeSpan.FromMinutes(1);
        Guid list = await stage.AddWatchlistAsync("Second list"), id = Guid.Empty;
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            IPage p = page.Page;
            Guid former = await stage.Host.ReadAsync(s => s.Deployments.Select(d => d.Id).SingleAsync());
            await page.GoAsync($"/deployments/new?from={former}");
            await Expect(p.GetByText("The policy Test rules, version 1, issued by the tests, applies.")).ToBeVisibleAsync();
            await Expect(p.GetByLabel("Area on the map")).ToHaveValueAsync(Packs.Square);
            await Expect(p.GetByRole(AriaRole.Img, new() { Name = "The area, north up" })).ToBeVisibleAsync();
            await p.GetByLabel("Start").FillAsync("2026-05-14T08:30");
            await p.GetByLabel("Watchlist", new() { Exact = true }).SelectOptionAsync(list.ToString());
            await p.GetByLabel("Threshold", new() { Exact = true }).FillAsync("0.48");
            await Expect(p.GetByText("wanted from 0.52 to 0.48")).ToBeVisibleAsync();
            await p.GetByLabel("Ground for the place").SelectOptionAsync("");
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            await Expect(p.Locator("#ground-wrong")).ToContainTextAsync("demands a ground for the place: hotspot.");
            await Expect(p.Locator("#second-wrong")).ToContainTextAsync("Choose a second authorising officer");
            await p.GetByLabel("Ground for the place").SelectOptionAsync("hotspot");
            await p.GetByLabel("Reason for the lower threshold").FillAsync("New evidence of May.");
            await p.GetByLabel("Second officer").SelectOptionAsync(new SelectOptionValue { Label = "olga, superintendent" });
            await page.AssertAccessibleAsync();
            await page.ShootAsync("authority-policy");
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            await Expect(p.GetByText("A threshold is lower than before")).ToBeVisibleAsync();
            await Expect(p.GetByText("Has not signed yet.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            id = Guid.Parse(p.Url.Split('/')[^1]);
        });
        foreach (Officer signer in new[] { second, stage.Signer })
        {
            await browser.WithPageAsync(stage.Host, signer, async page =>
            {
                IPage p = page.Page;
                await page.GoAsync($"/deployments/{id}");
                // 365 days after 1 June 2025.
                await Expect(p.GetByText("Your training as Authorising officer ends on 1 June 2026.")).ToBeVisibleAsync();
                await p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
                ILocator dialog = p.GetByRole(AriaRole.Dialog);
                await dialog.GetByLabel("Password").FillAsync(RunningHost.Password);
                await dialog.GetByLabel("Code").FillAsync(await stage.Host.CodeAsync(signer));
                await dialog.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
                await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true })).ToHaveCountAsync(0);
            });
        }
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/alerts/street");
            await Expect(p.GetByText("runs only while 1 officers are checked in within 200 m")).ToHaveCountAsync(2);
            await p.Locator("section.presence", new() { HasTextString = "Market Square" }).Last.GetByRole(AriaRole.Button, new() { Name = "Check in" }).ClickAsync();
            await Expect(p.GetByText("m away from the area; the policy allows 200 m.")).ToBeVisibleAsync();
            await page.Context.SetGeolocationAsync(new Geolocation { Latitude = 51.5078f, Longitude = -0.1270f, Accuracy = 8 });
            await p.GetByRole(AriaRole.Button, new() { Name = "Check in" }).Last.ClickAsync();
            await Expect(p.GetByText("You are checked in at Market Square until 08:46")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Check out" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Check in" })).ToHaveCountAsync(2);
        }, new BrowserNewContextOptions(BrowserFixture.Phone) { Permissions = ["geolocation"], Geolocation = new Geolocation { Latitude = 51.6f, Longitude = -0.1f, Accuracy = 8 } });
    }

    [Fact]
    public async Task Authority_DraftedAndSignedByTwoPeople_IsShownAndWithdrawn()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = Guid.Empty;
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/deployments");
            await p.GetByRole(AriaRole.Link, new() { Name = "Draft an authority" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Draft an authority" })).ToBeVisibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            // Told at the field and in the list, and gone from both when it is mended.
            await Expect(p.GetByText("Purpose: 1 to 4000 characters.")).ToHaveCountAsync(2);
            await Expect(p.Locator("#watchlist-wrong")).ToHaveTextAsync("Choose a watchlist.");
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Name").FillAsync("Market Square");
            await p.GetByLabel("Purpose").FillAsync("Find people wanted for robbery.");
            await Expect(p.GetByText("Purpose: 1 to 4000 characters.")).ToHaveCountAsync(0);
            await Expect(p.Locator("#saved")).ToContainTextAsync("Saved 08:30");
            await stage.AddWatchlistAsync("Late list");
            await Expect(p.Locator("#watchlist option", new() { HasTextString = "Late list" })).ToHaveCountAsync(1);
            // Left and found again.
            await page.GoAsync("/deployments");
            await p.GetByRole(AriaRole.Link, new() { Name = "Market Square" }).ClickAsync();
            await Expect(p.GetByLabel("Purpose")).ToHaveValueAsync("Find people wanted for robbery.");
            await p.GetByLabel("Type of deployment").FillAsync("intelligence-led");
            await p.GetByLabel("Place").FillAsync("Market Square, north side");
            await p.GetByLabel("gate").CheckAsync();
            await p.GetByLabel("Watchlist", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Value = stage.WatchlistId.ToString() });
            await Expect(p.GetByText("False alerts expected if all 6 people on the list are searched for at this threshold")).ToBeVisibleAsync();
            await p.GetByLabel("Data protection impact assessment").FillAsync("DPIA 2026/4");
            await p.GetByLabel("Equality impact assessment").FillAsync("EIA 2026/4");
            await p.GetByLabel("Community impact assessment").FillAsync("CIA 2026/9");
            await p.GetByLabel("Authorising officer", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "sam" });
            await page.ShootAsync("authority-draft");
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            await Expect(p.GetByText("The authority is a draft: sam has not signed it.")).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true })).ToHaveCountAsync(0);
            await page.AssertAccessibleAsync();
            id = Guid.Parse(p.Url.Split('/')[^1]);
            // Changed before it is signed.
            await p.GetByRole(AriaRole.Link, new() { Name = "Change the draft" }).ClickAsync();
            await Expect(p.GetByLabel("Type of deployment")).ToHaveValueAsync("intelligence-led");
            await p.GetByLabel("Place").FillAsync("Market Square, south side");
            await Expect(p.Locator("#saved")).ToContainTextAsync("Saved");
            await p.GetByRole(AriaRole.Button, new() { Name = "Send for signature", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Market Square, south side")).ToBeVisibleAsync();
            await Expect(p.GetByText("The drafter has typed changes")).ToHaveCountAsync(0);
        });
        await browser.WithPageAsync(stage.Host, stage.Signer, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync($"/deployments/{id}");
            await p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            ILocator dialog = p.GetByRole(AriaRole.Dialog);
            await dialog.GetByLabel("Password").FillAsync("not my password");
            await dialog.GetByLabel("Code").FillAsync("000000");
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            await Expect(dialog.GetByText("The password or the code is wrong.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await dialog.GetByLabel("Password").FillAsync(RunningHost.Password);
            await dialog.GetByLabel("Code").FillAsync(await stage.Host.CodeAsync(stage.Signer));
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Ready to start.")).ToBeVisibleAsync();
            await Expect(p.GetByText("Signed by sam on")).ToBeVisibleAsync();
            await page.ShootAsync("authority");
            await Expect(p.GetByText("Market Square, south side")).ToBeVisibleAsync();
            // A file that disappears is reported without reloading the page.
            File.Delete(stage.WatchlistPath);
            await Expect(p.GetByText("The file of the watchlist Spring list is missing.")).ToBeVisibleAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
            await p.GetByRole(AriaRole.Dialog).GetByLabel("Reason").FillAsync("The list is gone.");
            await p.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
            await Expect(p.GetByText("Withdrawn: The list is gone.")).ToBeVisibleAsync();
        });
        await using LfrStore store = stage.Host.Store();
        Assert.Equal(DeploymentState.Withdrawn, (await store.Deployments.SingleAsync(TestContext.Current.CancellationToken)).State);
        Assert.Empty(await store.AuthorityForms.ToArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Sign_WithAPasskey_NeedsNeitherPasswordNorCode()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.DraftAsync();
        await browser.WithPageAsync(stage.Host, stage.Signer, async page =>
        {
            IPage p = page.Page;
            await page.AddAuthenticatorAsync();
            await page.GoAsync("/account");
            await p.GetByLabel("Name of the new passkey").FillAsync("phone");
            await p.GetByRole(AriaRole.Button, new() { Name = "Add a passkey" }).ClickAsync();
            await Expect(p.GetByText("Passkey added.")).ToBeVisibleAsync();

            await page.GoAsync($"/deployments/{id}");
            await p.GetByRole(AriaRole.Button, new() { Name = "Sign", Exact = true }).ClickAsync();
            await p.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Use a passkey instead" }).ClickAsync();
            await Expect(p.GetByText("Signed by sam on")).ToBeVisibleAsync();
        });
        Assert.Equal(DeploymentState.Signed, await stage.Host.ReadAsync(s => s.Deployments.Select(d => d.State).SingleAsync()));
    }

    [Fact]
    public async Task ZonePlanner_BoardMovedIn_IsWarnedOf()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/zones");
            await Expect(p.GetByRole(AriaRole.Img, new() { Name = "Plan from above" })).ToBeVisibleAsync();
            await p.GetByLabel("Board 1: metres ahead of the camera").FillAsync("60");
            await Expect(p.GetByText("Board 1 is inside the area")).ToHaveCountAsync(0);
            await p.GetByLabel("Board 1: metres ahead of the camera").FillAsync("20");
            await Expect(p.GetByText("Board 1 is inside the area: people are filmed before they can read it. Move it out.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("zones");
            await page.GoAsync("/evidence");
            await page.ShootAsync("evidence");
        });
    }

    [Fact]
    public async Task Pages_OnAPhone_DoNotStandOverTheEdge()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        Guid id = await stage.DraftAsync();
        await browser.WithPageAsync(stage.Host, stage.Drafter, async page =>
        {
            foreach (string path in new[] { "/deployments", $"/deployments/{id}", "/deployments/new", "/zones", "/evidence" })
            {
                await page.GoAsync(path);
                Assert.Equal((path, 390), (path, await page.Page.EvaluateAsync<int>("document.scrollingElement.scrollWidth")));
                await page.AssertAccessibleAsync();
            }
        }, BrowserFixture.Phone);
    }
}
