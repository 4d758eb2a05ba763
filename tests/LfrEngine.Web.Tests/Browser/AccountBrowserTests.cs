using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Tests.Alerts;
using LfrEngine.Web.Tests.Security;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Browser;

/// <summary>The ways into the console, in a real browser.</summary>
[Trait("Speed", "slow")]
public sealed class AccountBrowserTests(BrowserFixture browser)
{
    [Fact]
    public async Task FirstStart_LinkToAdministratorWithAuthenticator_SignsInAgainByCodeAndByRecoveryCode()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        string secret = (await host.Services.GetRequiredService<OfficerRegister>().InviteFirstAsync(TestContext.Current.CancellationToken))!;
        await browser.WithPageAsync(host, null, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync($"/account/invitation#secret={secret}");
            await Expect(p.GetByLabel("Your name")).ToBeVisibleAsync();
            // The secret has left the address, and no request carried it there.
            await Expect(p).ToHaveURLAsync(ConsolePage.OriginOf(host) + "/account/invitation");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("invitation");
            await p.GetByLabel("Your name").FillAsync("Ada Example");
            await p.GetByLabel("User name").FillAsync("ada");
            await p.GetByLabel("New password").FillAsync(RunningHost.Password);
            await p.GetByRole(AriaRole.Button, new() { Name = "Continue with a password" }).ClickAsync();

            // A password alone opens nothing else.
            await Expect(p).ToHaveURLAsync(ConsolePage.OriginOf(host) + "/account");
            await page.GoAsync("/officers");
            await Expect(p).ToHaveURLAsync(ConsolePage.OriginOf(host) + "/account");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("second-factor");

            string key = (await p.Locator("#authenticator-key").TextContentAsync())!;
            await p.GetByLabel("Code", new() { Exact = true }).FillAsync("000000");
            await p.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync("This code is wrong");
            Assert.Equal(key, await p.Locator("#authenticator-key").TextContentAsync());
            await p.GetByLabel("Code", new() { Exact = true }).FillAsync(Totp.Code(key, -1));
            await p.GetByRole(AriaRole.Button, new() { Name = "Confirm" }).ClickAsync();
            // Told once, on the page that answers the form.
            await Expect(p.Locator(".recovery-codes code")).ToHaveCountAsync(10);
            string[] recovery = [.. await p.Locator(".recovery-codes code").AllTextContentsAsync()];
            Assert.Equal(10, recovery.Distinct().Count());
            await using (LfrStore store = host.Store())
            {
                // A copy of the store signs nobody in.
                string[] kept = [.. (await store.UserTokens.ToArrayAsync(TestContext.Current.CancellationToken)).Select(t => t.Value!)];
                Assert.Equal(2, kept.Length);
                Assert.All([key, .. recovery], secret => Assert.DoesNotContain(kept, k => k.Contains(secret, StringComparison.Ordinal)));
            }
            await page.AssertAccessibleAsync();

            await page.GoAsync("/officers");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Officers" })).ToBeVisibleAsync();

            await SignOutAsync(p);
            await page.AssertAccessibleAsync();
            await page.ShootAsync("sign-in");
            await PasswordAsync(p, "ada");
            await Expect(p.GetByLabel("Code")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Code").FillAsync(Totp.Code(key));
            await p.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

            await SignOutAsync(p);
            await PasswordAsync(p, "ada");
            await p.GetByLabel("Code").FillAsync(recovery[3]);
            await p.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

            await SignOutAsync(p);
            await page.GoAsync($"/account/invitation#secret={secret}");
            await Expect(p.GetByText("has been used")).ToBeVisibleAsync();
        });
    }

    [Fact]
    public async Task Passkey_EnrolSignInAndProve_NeedsNoPassword()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        string secret = (await host.Services.GetRequiredService<OfficerRegister>().InviteFirstAsync(TestContext.Current.CancellationToken))!;
        await browser.WithPageAsync(host, null, async page =>
        {
            IPage p = page.Page;
            await page.AddAuthenticatorAsync();
            await page.GoAsync($"/account/invitation#secret={secret}");
            await p.GetByLabel("Your name").FillAsync("Ada Example");
            await p.GetByLabel("User name").FillAsync("ada");
            await p.GetByRole(AriaRole.Button, new() { Name = "Create a passkey" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

            await SignOutAsync(p);
            await p.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

            await using LfrStore store = host.Store();
            Officer ada = await store.Users.SingleAsync(TestContext.Current.CancellationToken);
            StepUp stepUp = host.Services.GetRequiredService<StepUp>();
            Assert.Throws<ProofRefusedException>(() => stepUp.Take(ada.Id));
            Assert.Null(await p.EvaluateAsync<string?>("import(document.querySelector('script[type=module]').src).then(m => m.prove())"));
            stepUp.Take(ada.Id);

            // The last way in stays.
            await page.GoAsync("/account");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("account");
            await p.GetByRole(AriaRole.Button, new() { Name = "Remove the passkey" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync("your only way to sign in");

            await p.GetByLabel("New password").FillAsync(RunningHost.Password);
            await p.GetByRole(AriaRole.Button, new() { Name = "Change the password" }).ClickAsync();
            await Expect(p.GetByText("Password changed.")).ToBeVisibleAsync();
            await SignOutAsync(p);
            await PasswordAsync(p, "ada");
            await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync("passkey");
        });
    }

    [Fact]
    public async Task Passkey_OfADisabledOfficer_OpensNothing()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer admin = await host.AddOfficerAsync("root", Roles.Administrator);
        OfficerRegister register = host.Services.GetRequiredService<OfficerRegister>();
        var actor = new Actor(admin.Id.ToString(), "Root");
        string secret = await register.InviteAsync(actor, [Roles.Operator]);
        await browser.WithPageAsync(host, null, async page =>
        {
            IPage p = page.Page;
            await page.AddAuthenticatorAsync();
            await page.GoAsync($"/account/invitation#secret={secret}");
            await p.GetByLabel("Your name").FillAsync("Olga Example");
            await p.GetByLabel("User name").FillAsync("olga");
            await p.GetByRole(AriaRole.Button, new() { Name = "Create a passkey" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

            // The open page is signed out at once, without a request.
            await register.SetDisabledAsync(actor, (await register.ListAsync()).Officers.Single(o => o.Officer.UserName == "olga").Officer.Id, true);
            await Expect(p).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/account/sign-in"));
            await p.GetByRole(AriaRole.Button, new() { Name = "Use a passkey" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync("Not accepted");
        });
    }

    /// <summary>Two tabs and another browser: one signs out and both tabs are out; the officer ends the other browser; a locked one hears alerts and opens with the password.</summary>
    [Fact]
    public async Task Sessions_TwoTabsAndTwoBrowsers_EndAndLockEverywhere()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        Officer olga = await host.AddOfficerAsync("olga", Roles.Operator);
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        Guid person = await material.AddPersonAsync();
        await browser.WithPageAsync(host, olga, first => browser.WithPageAsync(host, olga, async other =>
        {
            await other.GoAsync("/alerts");
            await other.Page.Locator("#sounds").ClickAsync();
            IPage p = first.Page, tab = await first.Context.NewPageAsync();
            await tab.GotoAsync(ConsolePage.OriginOf(host) + "/alerts");
            await Expect(tab.Locator("#sounds")).ToBeVisibleAsync();

            // Locked from the bar: every page of that browser, and no other browser.
            await first.GoAsync("/deployments");
            await p.GetByRole(AriaRole.Button, new() { Name = "Lock" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Locked" })).ToBeVisibleAsync();
            await Expect(tab.GetByRole(AriaRole.Heading, new() { Name = "Locked" })).ToBeVisibleAsync();
            await first.AssertAccessibleAsync();
            await first.ShootAsync("locked");
            await Expect(other.Page.Locator("#sounds")).ToBeVisibleAsync();
            await tab.GetByLabel("Password").FillAsync("wrong");
            await tab.GetByRole(AriaRole.Button, new() { Name = "Unlock", Exact = true }).ClickAsync();
            await Expect(tab.GetByRole(AriaRole.Alert).First).ToContainTextAsync("Not accepted");
            await tab.GetByLabel("Password").FillAsync(RunningHost.Password);
            await tab.GetByRole(AriaRole.Button, new() { Name = "Unlock", Exact = true }).ClickAsync();
            await Expect(tab.Locator("#sounds")).ToBeVisibleAsync();

            // A token for a program, shown once.
            await first.GoAsync("/account/tokens");
            await p.GetByLabel("Name of the program").FillAsync("map");
            await p.GetByLabel("see alerts").CheckAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Create token" }).ClickAsync();
            await Expect(p.Locator("#token")).ToContainTextAsync("lfr_");
            await first.AssertAccessibleAsync();
            await first.ShootAsync("tokens");
            await first.GoAsync("/account/tokens");
            await Expect(p.Locator("#token")).ToHaveCountAsync(0);
            await p.GetByRole(AriaRole.Button, new() { Name = "Revoke the token map" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Revoke the token map" })).ToHaveCountAsync(0);

            // Ended by the officer from the other browser.
            await first.GoAsync("/account/sessions");
            await Expect(p.GetByText("this session")).ToHaveCountAsync(1);
            await first.AssertAccessibleAsync();
            await first.ShootAsync("sessions");
            await p.GetByRole(AriaRole.Button, new() { Name = "End the session Test" }).ClickAsync();
            await Expect(p.GetByText("Session ended.")).ToBeVisibleAsync();
            await Expect(other.Page).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/account/sign-in"));

            // Signed out in one tab: the other shows no name and takes no decision.
            await first.GoAsync("/deployments");
            await SignOutAsync(p);
            await Expect(tab).ToHaveURLAsync(new System.Text.RegularExpressions.Regex("/account/sign-in"));
            await tab.GotoAsync("about:blank");
        }));

        // A locked page hears alerts if sounds were on.
        await browser.WithPageAsync(host, olga, async page =>
        {
            await page.GoAsync("/alerts");
            await page.Page.Locator("#sounds").ClickAsync();
            await Expect(page.Page.Locator("#sounds")).ToHaveAttributeAsync("aria-pressed", "true");
            await page.GoAsync("/deployments");
            Task<IResponse> listening = page.Page.WaitForResponseAsync(r => r.Url.EndsWith("/session/alerts", StringComparison.Ordinal));
            await page.Page.GetByRole(AriaRole.Button, new() { Name = "Lock" }).ClickAsync();
            await listening;
            await material.RaiseAsync(person);
            await Expect(page.Page.Locator("html")).ToHaveAttributeAsync("data-last-sound", "alert");
        });
    }

    /// <summary>The force's identity provider signs officers in: with the roles that their groups stand for, each time anew, and asked each time.</summary>
    [Fact]
    public async Task SingleSignOn_RealProvider_GivesTheRolesOfTheGroups()
    {
        using var provider = new IdentityProvider();
        Dictionary<string, string[]> roles = new() { ["lfr-operators"] = [Roles.Operator], ["lfr-admins"] = [Roles.Administrator, Roles.Auditor] };
        await using RunningHost host = await RunningHost.StartAsync((c, folder) =>
        {
            File.WriteAllText(Path.Combine(folder, "sso-secret"), IdentityProvider.ClientSecret);
            return c with { SingleSignOn = new SingleSignOnConfig { Name = "Force ID", Authority = provider.Authority.ToString(), ClientId = "lfr", ClientSecretPath = "sso-secret", Roles = roles } };
        });
        await provider.StartAsync(ConsolePage.OriginOf(host) + "/account/sso/callback", new() { ["olga"] = ["staff", "lfr-operators"], ["rita"] = ["staff"], ["taken"] = ["lfr-operators"] });
        await host.AddOfficerAsync("taken", Roles.Auditor);
        await browser.WithPageAsync(host, null, async page =>
        {
            page.AlsoAllowed = provider.Authority.ToString();
            IPage p = page.Page;
            await page.GoAsync("/alerts");
            await page.AssertAccessibleAsync();
            await SignInAsync("olga");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Alerts" })).ToBeVisibleAsync();
            await Expect(p.GetByText("olga Example")).ToBeVisibleAsync();
            Officer olga = await host.ReadAsync(s => s.Users.SingleAsync(o => o.UserName == "olga"));
            Assert.Equal([Roles.Operator], (await host.Services.GetRequiredService<OfficerRegister>().ListAsync()).Officers.Single(o => o.Officer.Id == olga.Id).Roles);

            // Locked: the provider asks again. With other groups by then, other roles.
            await page.GoAsync("/deployments");
            await p.GetByRole(AriaRole.Button, new() { Name = "Lock" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Locked" })).ToBeVisibleAsync();
            await SignInAsync("olga");
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Deployments" })).ToBeVisibleAsync();
            await SignOutAsync(p);

            // Nobody without a role, and nobody under another officer's name.
            foreach ((string name, string says) in new[] { ("rita", "give you no role here"), ("taken", "cannot be used here") })
            {
                await SignInAsync(name);
                await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync(says);
            }
            Assert.Equal(2, await host.ReadAsync(s => s.Users.CountAsync()));

            // Disabled here, whatever the provider says.
            await host.Services.GetRequiredService<OfficerRegister>().SetDisabledAsync(new Actor(Guid.NewGuid().ToString(), "ada"), olga.Id, true);
            await SignInAsync("olga");
            await Expect(p.GetByRole(AriaRole.Alert).First).ToContainTextAsync("Ask an administrator");

            async Task SignInAsync(string name)
            {
                await provider.NextAsync(name);
                await p.GetByRole(AriaRole.Link, new() { Name = "Sign in with Force ID" }).ClickAsync();
            }
        });
        Assert.Equal(["single-sign-on", "single-sign-on"], (await host.ReadAsync(s => s.Audit.Where(e => e.Action == "officer.signed-in").Select(e => e.Details).ToArrayAsync())).Select(d => (string?)System.Text.Json.Nodes.JsonNode.Parse(d)!["by"]));
    }

    private static async Task SignOutAsync(IPage page)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    private static async Task PasswordAsync(IPage page, string userName)
    {
        await page.GetByLabel("User name").FillAsync(userName);
        await page.GetByLabel("Password").FillAsync(RunningHost.Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }
}
