using System.Net;
using System.Net.Http.Json;
using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
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
        await using RunningHost host = await Street.HostAsync(street.LongClip);
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
            await Expect(Health(p)).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations");
            await page.GoAsync("/");
            await Expect(Health(p)).ToContainTextAsync("gate:");

            await page.GoAsync("/duty");
            await Expect(p.Locator(".duty-wall img.live")).ToHaveAttributeAsync("src", new System.Text.RegularExpressions.Regex("^blob:"));
            await Expect(Health(p)).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await page.ShootAsync("duty-cameras");
            await p.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
            await page.AssertAccessibleAsync();

            // At once; the reason is asked for afterwards, on any page.
            await PressAsync(p, "Pause");
            await Expect(p.GetByText("Paused. Why?")).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(p.Locator("img.live")).ToHaveCountAsync(0);
            await page.GoAsync("/operations");
            await Expect(p.GetByText("Paused. Why?")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Reason (recorded in the audit trail)").FocusAsync();
            await p.Keyboard.TypeAsync("A break.");
            await PressAsync(p, "Save reason");
            await Expect(p.GetByText("A break.")).ToBeVisibleAsync();
            await Expect(p.GetByText("Paused. Why?")).ToHaveCountAsync(0);
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true })).ToBeVisibleAsync();
        });
        AuditEntry[] trail = await host.ReadAsync(s => s.Audit.Where(e => e.Action.StartsWith("deployment.pause")).OrderBy(e => e.Sequence).ToArrayAsync());
        Assert.Equal(["deployment.paused", "deployment.pause-explained"], trail.Select(e => e.Action));
        Assert.All(trail, e => Assert.Equal("olga", e.ActorName));
        Assert.DoesNotContain("reason", trail[0].Details, StringComparison.Ordinal);
        Assert.Equal("{\"reason\":\"A break.\"}", trail[1].Details);
    }

    [Fact]
    public async Task Operations_AuditorOnAPhone_SeesHealthAndNoPictures()
    {
        await using RunningHost host = await Street.HostAsync(street.LongClip);
        Guid deployment = await street.PrepareAsync(host);
        Officer arno = await host.AddOfficerAsync("arno", Roles.Auditor);
        await DeploymentRunnerTests.Runner(host).StartAsync(new Actor(arno.Id.ToString(), "arno"), deployment, TestContext.Current.CancellationToken);
        await browser.WithPageAsync(host, arno, async page =>
        {
            await page.GoAsync("/operations");
            await Expect(Health(page.Page)).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(page.Page.GetByText("Your roles do not include live pictures.")).ToBeVisibleAsync();
            await Expect(page.Page.Locator("img.live")).ToHaveCountAsync(0);
            await Expect(page.Page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true })).ToHaveCountAsync(0);
            Assert.True(await page.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than the phone.");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("operations-phone");
        }, BrowserFixture.Phone);
        using HttpClient local = host.Client();
        string metrics = await local.GetStringAsync(new Uri("/metrics", UriKind.Relative), TestContext.Current.CancellationToken);
        string[] conditions = [.. metrics.Split('\n').Where(l => l.StartsWith("lfr_camera_condition{camera=\"gate\"", StringComparison.Ordinal))];
        Assert.Equal(4, conditions.Length);
        Assert.Single(conditions, l => l.EndsWith(" 1", StringComparison.Ordinal));
        Assert.Contains("\nlfr_camera_skipped_ratio{camera=\"gate\"} ", metrics, StringComparison.Ordinal);
        Assert.Contains("\nlfr_camera_late_seconds{camera=\"gate\"} ", metrics, StringComparison.Ordinal);

        // Programs pause at once too.
        using HttpClient program = await host.ClientAsync(await host.AddOfficerAsync("olga", Roles.Operator));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("pause", null));
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync("pause-reason", " "));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("pause-reason", "A break."));
        Assert.Equal(HttpStatusCode.Conflict, await PostAsync("pause-reason", "Another."));
        Assert.Equal((DeploymentState.Paused, "A break."), await host.ReadAsync(async s => await s.Deployments.Select(d => new ValueTuple<DeploymentState, string?>(d.State, d.StateReason)).SingleAsync()));

        async Task<HttpStatusCode> PostAsync(string action, string? reason)
        {
            using HttpResponseMessage answer = await program.PostAsync(new Uri($"/api/v1/deployments/{deployment}/{action}", UriKind.Relative), reason is null ? null : JsonContent.Create(new { reason }), TestContext.Current.CancellationToken);
            return answer.StatusCode;
        }
    }

    // How well the engine follows depends on what else the machine does: that there are pictures is enough.
    private static ILocator Health(IPage page) => page.Locator(".health:not([data-condition=Lost])").First;

    // As who has no mouse does it.
    private static async Task PressAsync(IPage page, string button)
    {
        ILocator found = page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true });
        await Expect(found).ToBeEnabledAsync();
        await found.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
