using System.Globalization;
using LfrEngine.Cli.Tests.Support;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Security;
using LfrEngine.Web.Tests.Browser;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The operations page in a real browser, by keyboard, while the engine runs.</summary>
[Trait("Speed", "slow")]
public sealed class OperationsBrowserTests(BrowserFixture browser, Street street) : IClassFixture<Street>
{
    [Fact]
    public async Task Operations_FromStartToEndByKeyboard_ShowsLivePicturesAndThenTheResult()
    {
        await using RunningHost host = await Street.HostAsync(street.Clip);
        Guid deployment = await street.PrepareAsync(host);
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

            await Eventually.HoldsAsync(() => host.ReadAsync(s => s.Alerts.AnyAsync()), "an alert was raised");
            Assert.True(await p.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true }).IsDisabledAsync());
            await p.GetByLabel("Reason (recorded in the audit trail)").FocusAsync();
            await p.Keyboard.TypeAsync("A break.");
            await PressAsync(p, "Pause");
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true })).ToBeVisibleAsync(new() { Timeout = 30_000 });
            await Expect(p.GetByText("A break.")).ToBeVisibleAsync();
            await Expect(picture).ToHaveCountAsync(0);

            await p.GetByLabel("Reason (recorded in the audit trail)").FillAsync("The shift is over.");
            await PressAsync(p, "End");
            await PressAsync(p, "Yes, end it");
            await p.GetByRole(AriaRole.Link, new() { Name = "See the result" }).ClickAsync();
            await Expect(p.Locator("h1")).ToHaveTextAsync("Result: High Street");
            string file = Assert.Single(Directory.GetFiles(Path.GetDirectoryName(host.Installation.DataPath("receipts", "_"))!));
            string text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            ErasureReceipt receipt = ErasureReceipt.Verify(file, SignedDocument.TrustedPem(null));
            await Expect(p.Locator("#faces-seen")).ToHaveTextAsync(receipt.FacesSeen.ToString(CultureInfo.InvariantCulture));
            await Expect(p.Locator("#outcomes tbody tr")).ToHaveTextAsync(["Not judged1"]);
            await Expect(p.Locator("#lifetimes tbody tr").Filter(new() { HasText = "Embeddings" })).ToContainTextAsync(string.Create(CultureInfo.InvariantCulture, $"{receipt.Lifetimes.Embedding.MaximumMs:0.0} ms"));
            await Expect(p.GetByText($"missed {receipt.Lifetimes.DeadlineBreaches} time")).ToBeVisibleAsync();
            await Expect(p.Locator("#receipts")).ToContainTextAsync("Signature verified.");
            IDownload download = await p.RunAndWaitForDownloadAsync(() => p.GetByRole(AriaRole.Link, new() { Name = "Download " }).ClickAsync());
            Assert.Equal(text, await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken));
            await page.AssertAccessibleAsync();
            await page.ShootAsync("result");
            await p.SetViewportSizeAsync(390, 844);
            await page.GoAsync($"/deployments/{deployment}/result");
            await Expect(p.Locator("#receipts")).ToBeVisibleAsync();
            Assert.Equal("", await p.EvaluateAsync<string>("document.documentElement.scrollWidth <= innerWidth ? '' : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth && !e.closest('.table')).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().left) + ' ' + Math.round(e.getBoundingClientRect().right)).join('\\n')"));
            await p.SetViewportSizeAsync(1366, 768);

            // A genuine receipt of another deployment does not stand in for this one's, nor does an altered one; a lost one is told.
            ILocator row = p.Locator("tbody tr");
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("High Street");
            await Expect(row).ToContainTextAsync("Signature verified.");
            await page.AssertAccessibleAsync();
            await page.ShootAsync("receipts");
            string other = file.Replace(receipt.Run!, "20260514T093012-k3f9x2", StringComparison.Ordinal);
            File.Copy(file, other);
            Assert.Equal(ReceiptVerdict.Refused, Shelf(host).Check(new ReceiptName(Path.GetFileName(other), receipt.EndedAt, $"deployment/{deployment}")).Verdict);
            File.Delete(other);
            await File.WriteAllTextAsync(file, text.Replace($"\"facesSeen\":{receipt.FacesSeen},", $"\"facesSeen\":{receipt.FacesSeen + 1},", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("Not verified");
            File.Delete(file);
            await page.GoAsync("/receipts");
            await Expect(row).ToContainTextAsync("Missing");
            await page.GoAsync($"/deployments/{deployment}/result");
            await Expect(p.GetByText("No receipt of this deployment could be verified")).ToBeVisibleAsync();
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

    private static ReceiptShelf Shelf(RunningHost host) => (ReceiptShelf)host.Services.GetService(typeof(ReceiptShelf))!;

    // As who has no mouse does it.
    private static async Task PressAsync(IPage page, string button)
    {
        ILocator found = page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true });
        await Expect(found).ToBeEnabledAsync();
        await found.FocusAsync();
        await page.Keyboard.PressAsync("Enter");
    }
}
