using System.IO.Compression;
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
            await Expect(p.Locator("#count")).ToHaveTextAsync("1 person, 2 usable photos");
            await p.GetByLabel("Name of the watchlist").FillAsync("Saturday market, north");
            await p.GetByLabel("Remarks", new() { Exact = true }).FillAsync("The family was asked.");
            await p.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Saturday market, north" })).ToBeVisibleAsync();
            await Expect(p.GetByText("It will be destroyed automatically on")).ToBeVisibleAsync();
            await p.GetByLabel("Search people").FillAsync("nobody of this name");
            await p.GetByRole(AriaRole.Button, new() { Name = "Search", Exact = true }).ClickAsync();
            await Expect(p.GetByText("Nobody found.")).ToBeVisibleAsync();
            await p.GetByLabel("Search people").FillAsync("mp-7");
            await p.GetByLabel("Search people").PressAsync("Enter");
            await Expect(p.GetByRole(AriaRole.Cell, new() { Name = "Ann Example", Exact = true })).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            string original = p.Url;
            await p.GetByLabel("Name of the copy").FillAsync("Sunday market");
            await p.GetByRole(AriaRole.Button, new() { Name = "Copy the watchlist" }).ClickAsync();
            await Expect(p.GetByRole(AriaRole.Heading, new() { Name = "Sunday market" })).ToBeVisibleAsync();
            await Expect(p.GetByLabel("Remarks", new() { Exact = true })).ToHaveValueAsync("The family was asked.");
            await Expect(p.Locator("#count")).ToHaveTextAsync("1 person, 2 usable photos");
            await p.GotoAsync(original);

            await Expect(p.Locator("#covered")).ToContainTextAsync("no evidence here yet");
            await p.GetByRole(AriaRole.Button, new() { Name = "Build the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist is built and can no longer be changed.")).ToBeVisibleAsync();
            await Expect(p.GetByRole(AriaRole.Button, new() { Name = "Destroy the watchlist" })).ToBeDisabledAsync();
            await p.GetByLabel("Reason", new() { Exact = true }).FillAsync("the operation is over");
            await p.GetByLabel("Yes, permanently destroy Saturday market, north").CheckAsync();
            await p.GetByRole(AriaRole.Button, new() { Name = "Destroy the watchlist" }).ClickAsync();
            await Expect(p.GetByText("This watchlist has been destroyed. Nothing in it can be read.")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
        });
        await using (LfrStore store = host.Store())
        {
            WatchlistRecord destroyed = await store.Watchlists.SingleAsync(w => w.State == WatchlistState.Destroyed, TestContext.Current.CancellationToken);
            Assert.Equal("Saturday market, north", destroyed.Name);
            Assert.Equal(0, await store.People.CountAsync(p => p.WatchlistId == destroyed.Id, TestContext.Current.CancellationToken));
        }

        // On a phone: an import with a problem and a warning, each in its place, from the template filled in.
        await browser.WithPageAsync(host, manager, async page =>
        {
            IPage p = page.Page;
            await page.GoAsync("/watchlists");
            Assert.Equal(390, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
            IDownload template = await p.RunAndWaitForDownloadAsync(() => p.GetByText("Download a people.csv to fill in").ClickAsync());
            Assert.Equal("people.csv", template.SuggestedFilename);
            string[] lines = await File.ReadAllLinesAsync(await template.PathAsync(), TestContext.Current.CancellationToken);
            string zip = host.PathOf("list.zip");
            using (ZipArchive made = ZipFile.Open(zip, ZipArchiveMode.Create))
            {
                made.CreateEntryFromFile(photos.Woman, "ann-1.jpg");
                made.CreateEntryFromFile(photos.Nobody, "ann-2.jpg");
                made.CreateEntryFromFile(photos.Nobody, "bob.jpg");
                await using var list = new StreamWriter(await made.CreateEntry("people.csv").OpenAsync(TestContext.Current.CancellationToken));
                await list.WriteAsync($"{lines[0]}\n{lines[1]}\n{lines[1].Replace("ann-1.jpg;ann-2.jpg", "bob.jpg", StringComparison.Ordinal).Replace("example-1", "bob", StringComparison.Ordinal)}\n");
            }
            await p.GetByLabel("Name of the imported watchlist").FillAsync("Monday");
            await p.GetByLabel("Zip file").SetInputFilesAsync(zip);
            await p.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
            await Expect(p.Locator("#import-problems")).ToContainTextAsync("line 3 (bob): No usable photo");
            await Expect(p.Locator("#import-problems")).ToContainTextAsync("bob.jpg");
            await Expect(p.Locator("#import-problems")).Not.ToContainTextAsync("ann");
            await Expect(p.Locator("#import-warnings")).ToContainTextAsync("example-1, ann-2.jpg: rejected");
            await Expect(p.Locator("#import-warnings")).Not.ToContainTextAsync("bob");
            await page.AssertAccessibleAsync();
            Assert.Equal(390, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
            await p.GetByRole(AriaRole.Link, new() { Name = "Sunday market" }).ClickAsync();
            await Expect(p.GetByLabel("Search people")).ToBeVisibleAsync();
            await page.AssertAccessibleAsync();
            Assert.Equal(390, await p.EvaluateAsync<int>("document.scrollingElement.scrollWidth"));
        }, BrowserFixture.Phone);
    }
}
