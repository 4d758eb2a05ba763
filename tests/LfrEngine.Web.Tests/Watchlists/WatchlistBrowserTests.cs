using LfrEngine.Web.Tests.Browser;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace LfrEngine.Web.Tests.Watchlists;

/// <summary>The pages of watchlists in a real browser.</summary>
[Trait("Speed", "slow")]
public sealed class WatchlistBrowserTests(BrowserFixture browser)
{
    [Fact]
    public async Task Manager_ComposesBuildsAndDestroys()
    {
        SampleSet photos = await SamplePhotos.GetAsync();
        await using RunningHost host = await RunningHost.StartAsync();
        Officer manager = await host.AddOfficerAsync("mona", Roles.WatchlistManager);
        await browser.WithPageAsync(host, manager, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/watchlists");
            await page.AssertAccessibleAsync();
            await p.GetByLabel("Name", new() { Exact = true }).FillAsync("Saturday market");
            await p.GetByRole(AriaRole.Button, new() { Name = "Create" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Saturday market" })).ToBeVisibleAsync();
            await Expect(p.GetByText("The watchlist is empty. Add people first.")).ToBeVisibleAsync();

            await p.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Enter the legal basis.")).ToBeVisibleAsync();
            await p.GetByLabel("Name", new() { Exact = true }).FillAsync("Ann Example");
            await p.GetByLabel("Category", new() { Exact = true }).SelectOptionAsync("MissingOrVulnerable");
            await p.GetByLabel("Reference").FillAsync("MP-7");
            await p.GetByLabel("Legal basis").FillAsync("duty of care");
            await p.GetByLabel("Source of the image").FillAsync("family");
            await p.GetByRole(AriaRole.Button, new() { Name = "Add", Exact = true }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Cell, new() { Name = "Ann Example", Exact = true })).ToBeVisibleAsync();

            await p.GetByLabel("Taken on").FillAsync(DateTime.Now.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
            await p.GetByLabel("Add photos of Ann Example").SetInputFilesAsync(photos.Woman);
            await Expect(p.GetByAltText("Photo of Ann Example", new() { Exact = false })).ToBeVisibleAsync();
            await p.GetByLabel("Add photos of Ann Example").SetInputFilesAsync(photos.Group);
            await Expect(p.GetByText("crop the photo to one person")).ToBeVisibleAsync();
            await Expect(p.GetByAltText("Photo of Ann Example", new() { Exact = false })).ToHaveJSPropertyAsync("naturalWidth", 256);
            // The browser's own file, with a button over each face; the click enrols that face in the place of the refused photo.
            await Expect(p.GetByAltText("The photo you added", new() { Exact = false })).ToHaveJSPropertyAsync("naturalWidth", 1920);
            await page.AssertAccessibleAsync();
            await p.GetByRole(AriaRole.Button, new() { NameRegex = new System.Text.RegularExpressions.Regex("^Use face [1-3]: upper right$") }).ClickAsync();
            await Expect(p.GetByAltText("Photo of Ann Example", new() { Exact = false })).ToHaveCountAsync(2);
            await Expect(p.GetByText("crop the photo to one person")).ToHaveCountAsync(0);
            await Expect(p.GetByAltText("The photo you added", new() { Exact = false })).ToHaveCountAsync(0);
            await p.GetByRole(AriaRole.Button, new() { Name = "Compare everybody" }).ClickAsync();
            await Expect(p.GetByText("No lookalikes found.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();

            await Expect(p.Locator("#covered")).ToContainTextAsync("no evidence here yet");
            await p.GetByRole(AriaRole.Button, new() { Name = "Build the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist is built and can no longer be changed.")).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Destroy the watchlist" })).ToBeDisabledAsync();
            await p.GetByLabel("Reason", new() { Exact = true }).FillAsync("the operation is over");
            await p.GetByLabel("Yes, permanently destroy Saturday market").CheckAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Destroy the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist has been destroyed. Nothing in it can be read.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
        });
        await using LfrStore store = host.Store();
        Assert.Equal(WatchlistState.Destroyed, (await store.Watchlists.SingleAsync(TestContext.Current.CancellationToken)).State);
        Assert.Equal(0, await store.People.CountAsync(TestContext.Current.CancellationToken));
    }
}
